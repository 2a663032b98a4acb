//! Turns a documented struct into a registered plugin.

mod config;
mod fields;
mod plugin;

use proc_macro::TokenStream;
use quote::quote;
use syn::parse_macro_input;

/// Makes a documented struct a plugin of a kind: `#[plugin(loss)]`, or `#[plugin(their_crate::tracker)]`
/// for a kind of another crate.
///
/// Beside the kind it takes `name = "Dice+BCE"` (only where the users' name is no Rust identifier),
/// `alias = ["BCELoss"]`, `cite = "arXiv:1810.07842"` and `check = Self::check`, a function
/// `fn(&Self, &mut Rules)` with the rules between fields.
///
/// Each field takes `#[plugin(default = 0.1)]` or, where a file must give it, `#[plugin(example = 2)]`;
/// an `Option` without either is off by default. `range = 0.0..=1.0` and `above = 0.0` bound its
/// numbers; `was = "gama"` is a former name. `sample = ...` is what examples and laws use where the default
/// alone would not pass the rules between fields.
#[proc_macro_attribute]
pub fn plugin(args: TokenStream, item: TokenStream) -> TokenStream {
    let args = parse_macro_input!(args as plugin::Args);
    let item = parse_macro_input!(item as syn::Item);
    plugin::expand(args, item).unwrap_or_else(|e| e.to_compile_error()).into()
}

/// Makes a documented struct or an enum of plain variants readable from a file, as a part of a plugin.
///
/// Fields take the same attribute as those of a plugin, spelt `#[config(...)]`. Variants are written
/// in snake case, or as `#[config(name = "...")]` says.
#[proc_macro_attribute]
pub fn config(args: TokenStream, item: TokenStream) -> TokenStream {
    let args = parse_macro_input!(args as config::Args);
    let item = parse_macro_input!(item as syn::Item);
    config::expand(args, item).unwrap_or_else(|e| e.to_compile_error()).into()
}

/// Makes a struct or an enum a state that the trainer saves and restores.
#[proc_macro_attribute]
pub fn state(_args: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::Item);
    let fields = match &item {
        syn::Item::Struct(item) => item.fields.iter().collect::<Vec<_>>(),
        syn::Item::Enum(item) => item.variants.iter().flat_map(|v| &v.fields).collect(),
        _ => Vec::new(),
    };
    let instead = "a state is data: keep numbers and lists of them, and an optimizer's tensors in its `ParamSlots`";
    if let Some(e) = fields.iter().find_map(|f| fields::lasting(&f.ty, instead).err()) {
        return e.to_compile_error().into();
    }
    quote! {
        #[derive(Debug, Clone, PartialEq, ::pleach_core::export::serde::Serialize, ::pleach_core::export::serde::Deserialize)]
        #[serde(crate = "::pleach_core::export::serde")]
        #item
    }
    .into()
}
