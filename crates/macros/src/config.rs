//! The attribute `#[config]`, for parts of a plugin that are not plugins themselves.

use crate::fields;
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Fields, Ident, Item, ItemEnum, ItemStruct, LitStr, Result, Token};

#[derive(Default)]
pub struct Args {
    check: Option<Expr>,
}

impl Parse for Args {
    fn parse(input: ParseStream) -> Result<Self> {
        if input.is_empty() {
            return Ok(Self::default());
        }
        let key: Ident = input.parse()?;
        if key != "check" {
            return Err(Error::new(key.span(), "`#[config]` takes `check`"));
        }
        input.parse::<Token![=]>()?;
        Ok(Self { check: Some(input.parse()?) })
    }
}

pub fn expand(args: Args, item: Item) -> Result<TokenStream> {
    match item {
        Item::Struct(item) => of_struct(args, item),
        Item::Enum(item) => of_enum(item),
        other => Err(Error::new_spanned(other, "`#[config]` goes on a struct, or on an enum of plain variants")),
    }
}

fn of_struct(args: Args, mut item: ItemStruct) -> Result<TokenStream> {
    let ident = item.ident.clone();
    fields::doc_of(&item.attrs, &ident, "a part of a configuration")?;
    let fields = fields::parse(&mut item, None)?;
    let read = fields::impls(&ident, &fields, args.check.as_ref());
    let of = ident.to_string();
    Ok(quote! {
        #[derive(
            Debug, Clone, PartialEq,
            ::pleach_core::export::serde::Serialize,
            ::pleach_core::export::serde::Deserialize,
            ::pleach_core::export::schemars::JsonSchema,
        )]
        #[serde(crate = "::pleach_core::export::serde")]
        #[schemars(crate = "::pleach_core::export::schemars", transform = #ident::complete_schema)]
        #item

        const _: () = {
            impl #ident {
                fn complete_schema(schema: &mut ::pleach_core::export::schemars::Schema) {
                    let sample = <Self as ::pleach_core::read::ReadTable>::sample();
                    let sample = ::pleach_core::saved::save(&sample).unwrap_or_default();
                    ::pleach_core::schema::complete(
                        schema, <Self as ::pleach_core::read::ReadTable>::FIELDS, &sample,
                    );
                }
            }

            #read

            impl ::pleach_core::read::Read for #ident {
                fn read(node: &::pleach_core::tree::Node, r: &mut ::pleach_core::read::Reader) -> ::core::option::Option<Self> {
                    ::pleach_core::read::table(node, #of, r)
                }
            }
        };
    })
}

fn of_enum(mut item: ItemEnum) -> Result<TokenStream> {
    let ident = item.ident.clone();
    fields::doc_of(&item.attrs, &ident, "a part of a configuration")?;
    let (mut names, mut variants, mut also) = (Vec::new(), Vec::new(), Vec::new());
    let mut spellings: Vec<LitStr> = Vec::new();
    for variant in &mut item.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new_spanned(&variant.fields, "variants in a configuration are plain names"));
        }
        fields::doc_of(&variant.attrs, &variant.ident, "a choice")?;
        let mut name = LitStr::new(&snake(&variant.ident.to_string()), variant.ident.span());
        let mut others: Vec<LitStr> = Vec::new();
        for attr in variant.attrs.iter().filter(|a| a.path().is_ident("config")) {
            attr.parse_nested_meta(|meta| {
                if meta.path.is_ident("name") {
                    name = meta.value()?.parse()?;
                } else if meta.path.is_ident("also") {
                    let list: syn::ExprArray = meta.value()?.parse()?;
                    for one in list.elems {
                        others.push(syn::parse2(quote!(#one))?);
                    }
                } else {
                    return Err(meta.error("a variant takes `name` and `also`"));
                }
                Ok(())
            })?;
        }
        spellings.extend(others.iter().cloned());
        also.extend(others.into_iter().map(|other| quote!((#other, #name))));
        variant.attrs.retain(|a| !a.path().is_ident("config"));
        variant.attrs.push(syn::parse_quote!(#[serde(rename = #name)]));
        variants.push(variant.ident.clone());
        names.push(name);
    }
    Ok(quote! {
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq,
            ::pleach_core::export::serde::Serialize,
            ::pleach_core::export::serde::Deserialize,
            ::pleach_core::export::schemars::JsonSchema,
        )]
        #[serde(crate = "::pleach_core::export::serde")]
        #[schemars(crate = "::pleach_core::export::schemars", transform = #ident::complete_schema)]
        #item

        impl #ident {
            fn complete_schema(schema: &mut ::pleach_core::export::schemars::Schema) {
                ::pleach_core::schema::spell(schema, &[#(#spellings),*]);
            }
        }

        impl ::pleach_core::read::Read for #ident {
            fn read(node: &::pleach_core::tree::Node, r: &mut ::pleach_core::read::Reader) -> ::core::option::Option<Self> {
                match ::pleach_core::read::one_of_spellings(node, &[#(#names),*], &[#(#also),*], r)? {
                    #(#names => ::core::option::Option::Some(Self::#variants),)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    })
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.chars().enumerate() {
        if c.is_uppercase() && i > 0 {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}
