//! Every kind has a page with a plugin, its place in a run file, and its laws; the pages are compiled as they stand.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pleach_cli as _;
use pleach_core::registry;
use pleach_testkit::laws;
use pleach_tests::field::blocks;
use pleach_tests::root;
use std::fs;

fn page(name: &str) -> String {
    let path = root().join("docs/plugins").join(name);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn every_kind_has_a_page_with_a_plugin_that_is_compiled() {
    let (index, compiled) = (page("README.md"), fs::read_to_string(root().join("tests/src/pages.rs")).unwrap());
    for kind in registry::kinds() {
        let text = page(&format!("{kind}.md"));
        let code = blocks(&text, "rust");
        assert!(
            code.iter().any(|(_, code)| code.contains(&format!("#[plugin({kind}"))),
            "docs/plugins/{kind}.md has no plugin"
        );
        assert!(index.contains(&format!("[{kind}]({kind}.md)")), "docs/plugins/README.md does not name {kind}");
        assert!(compiled.contains(&format!("\"plugins/{kind}.md\"")), "tests/src/pages.rs does not compile {kind}");
    }
}

#[test]
fn every_law_stands_on_the_page_of_its_kind_in_its_own_words() {
    for (kind, laws) in laws::ALL {
        let name = if *kind == "every kind" { "README".to_owned() } else { (*kind).to_owned() };
        let text = page(&format!("{name}.md"));
        for law in *laws {
            assert!(text.contains(&format!("- {}.\n", law.name)), "docs/plugins/{name}.md lacks the law: {}", law.name);
        }
    }
}
