//! The attribute `#[plugin(kind, ...)]`.

use crate::fields;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, ExprArray, ExprLit, Ident, Item, Lit, LitStr, Path, Result, Token};

pub struct Args {
    kind: Path,
    name: Option<LitStr>,
    alias: Vec<LitStr>,
    cite: Vec<LitStr>,
    check: Option<Expr>,
}

impl Parse for Args {
    fn parse(input: ParseStream) -> Result<Self> {
        let kind = input
            .parse()
            .map_err(|_| input.error("which kind? write `#[plugin(loss)]`, or the path of a kind's module"))?;
        let mut args = Self { kind, name: None, alias: Vec::new(), cite: Vec::new(), check: None };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if input.is_empty() {
                break;
            }
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            let value: Expr = input.parse()?;
            match key.to_string().as_str() {
                "name" => args.name = strings(&value)?.into_iter().next(),
                "alias" => args.alias = strings(&value)?,
                "cite" => args.cite = strings(&value)?,
                "check" => args.check = Some(value),
                _ => return Err(Error::new(key.span(), "a plugin takes `name`, `alias`, `cite` or `check`")),
            }
        }
        Ok(args)
    }
}

/// One string or a list of strings.
fn strings(value: &Expr) -> Result<Vec<LitStr>> {
    let one = |e: &Expr| match e {
        Expr::Lit(ExprLit { lit: Lit::Str(s), .. }) => Ok(s.clone()),
        _ => Err(Error::new_spanned(e, "a string is expected")),
    };
    match value {
        Expr::Array(ExprArray { elems, .. }) => elems.iter().map(one).collect(),
        _ => Ok(vec![one(value)?]),
    }
}

/// The kinds that pleach-core has, for whoever misspells one.
const KINDS: [&str; 13] = [
    "augmentation",
    "backend",
    "command",
    "importer",
    "keeper",
    "loss",
    "metric",
    "model",
    "observer",
    "optimizer",
    "scheduler",
    "source",
    "task",
];

/// Refuses what looks like a kind of core's and is none.
fn misspelt(kind: &Path) -> Result<()> {
    let Some(ident) = kind.get_ident() else { return Ok(()) };
    let name = ident.to_string();
    let near = KINDS.iter().map(|k| (strsim::damerau_levenshtein(&name.to_lowercase(), k), k)).min();
    match near {
        Some((0..=2, near)) if *near != name => {
            Err(Error::new_spanned(ident, format!("there is no kind `{name}`: did you mean `{near}`?")))
        }
        _ => Ok(()),
    }
}

/// A macro that a crate can have once. Two plugins of one kind and name in a crate would make it twice, and the
/// compiler refuses that at the second.
fn once(kind: &str, name: &LitStr, at: &Ident) -> TokenStream {
    let letter = |c: char| if c.is_alphanumeric() { c } else { '_' };
    let name: String = name.value().chars().map(letter).collect();
    let once = format_ident!("plugin_{}_{}_of_this_crate", kind, name, span = at.span());
    quote! {
        #[doc(hidden)]
        #[allow(non_local_definitions)]
        #[macro_export]
        macro_rules! #once {
            () => {};
        }
    }
}

pub fn expand(args: Args, item: Item) -> Result<TokenStream> {
    misspelt(&args.kind)?;
    let mut item = match item {
        Item::Struct(item) => item,
        Item::Enum(item) => {
            return Err(Error::new_spanned(
                item.ident,
                "a plugin is a struct; an enum can be a parameter of one, with `#[config]` on it",
            ));
        }
        other => return Err(Error::new_spanned(other, "`#[plugin]` goes on a struct with named fields")),
    };
    let ident = item.ident.clone();
    let doc = fields::doc_of(&item.attrs, &ident, "a plugin");
    let kind_name = args.kind.segments.last().map(|s| s.ident.to_string()).unwrap_or_default();
    let fields = fields::parse(&mut item, Some(&kind_name));
    let (doc, fields) = match (doc, fields) {
        (Ok(doc), Ok(fields)) => (doc, fields),
        (Err(mut a), Err(b)) => {
            a.combine(b);
            return Err(a);
        }
        (Err(e), _) | (_, Err(e)) => return Err(e),
    };
    if !item.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &item.generics,
            "a plugin cannot be generic: its name in a file stands for one type",
        ));
    }
    let Args { kind, name, alias, cite, check } = args;
    let kind = if kind.get_ident().is_some() { quote!(::pleach_core::kinds::#kind) } else { quote!(#kind) };
    let name = name.unwrap_or_else(|| LitStr::new(&ident.to_string(), ident.span()));
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let qualified = format!("{package}/{}", name.value());
    let read = fields::impls(&ident, &fields, check.as_ref());
    let once = once(&kind_name, &name, &ident);
    Ok(quote! {
        #once

        #[derive(
            Debug, Clone,
            ::pleach_core::export::serde::Serialize,
            ::pleach_core::export::serde::Deserialize,
            ::pleach_core::export::schemars::JsonSchema,
        )]
        #[serde(crate = "::pleach_core::export::serde", deny_unknown_fields)]
        #[schemars(crate = "::pleach_core::export::schemars")]
        #item

        const _: () = {
            use ::pleach_core::export::typetag;

            #read

            #[typetag::serde(name = #qualified)]
            impl #kind::Tagged for #ident {
                fn open(&self) -> &#kind::Object {
                    self
                }
            }

            ::pleach_core::export::inventory::submit! {
                ::pleach_core::registry::Entry {
                    kind: <#kind::Object as ::pleach_core::registry::Kind>::NAME,
                    kind_id: ::core::any::TypeId::of::<#kind::Object>,
                    name: #name,
                    alias: &[#(#alias),*],
                    doc: #doc,
                    cite: &[#(#cite),*],
                    krate: #package,
                    version: #version,
                    fields: <#ident as ::pleach_core::read::ReadTable>::FIELDS,
                    read: |table, place, of, r| {
                        let plugin = <#ident as ::pleach_core::read::ReadTable>::read_table(table, place, of, r)?;
                        let tagged: ::std::boxed::Box<dyn #kind::Tagged> = ::std::boxed::Box::new(plugin);
                        ::core::option::Option::Some(::std::boxed::Box::new(tagged))
                    },
                    sample: || {
                        let plugin = <#ident as ::pleach_core::read::ReadTable>::sample();
                        let tagged: ::std::boxed::Box<dyn #kind::Tagged> = ::std::boxed::Box::new(plugin);
                        ::std::boxed::Box::new(tagged)
                    },
                    sample_saved: || {
                        let plugin = <#ident as ::pleach_core::read::ReadTable>::sample();
                        ::pleach_core::saved::save(&plugin).unwrap_or_default()
                    },
                    schema: || ::pleach_core::registry::schema_of::<#ident>(<#ident as ::pleach_core::read::ReadTable>::FIELDS),
                }
            }
        };
    })
}
