//! Reads the fields of a struct with their documentation and attributes, and writes the code that
//! reads them from a table.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Error, Expr, ExprRange, Fields, Ident, ItemStruct, Lit, LitStr, Meta, RangeLimits, Result, Type};

/// Keys of a kind's slot, which stand in one table with the plugin's own; `pleach_core::registry::reserved`
/// says the same at run time, and the laws of the test kit hold the two together.
fn reserved(kind: &str) -> &'static [&'static str] {
    match kind {
        "loss" => &["name", "id", "factor", "output", "loss_factors"],
        "augmentation" => &["name", "id", "p", "apply_p", "per_frame", "exact", "min_visibility", "min_area"],
        "scheduler" => &["name", "id", "every", "warmup"],
        "model" => &["name", "id", "weights", "strict", "freeze", "pretrained"],
        "source" => &["name", "id", "augment"],
        "optimizer" => &["name", "id", "group", "match", "filter_bias_and_bn"],
        "metric" => &["name", "id", "per"],
        _ => &["name", "id"],
    }
}

/// Types that no file and no checkpoint can hold, told by their names: the derives would say so at far greater length.
const FLEETING: [&str; 6] = ["Instant", "Mutex", "RefCell", "RwLock", "SystemTime", "Tensor"];

/// Refuses a field whose value cannot be written down; `instead` says where such a thing belongs.
pub fn lasting(ty: &Type, instead: &str) -> Result<()> {
    let what = match ty {
        Type::Path(p) => match p.path.segments.last() {
            Some(last) if FLEETING.contains(&last.ident.to_string().as_str()) => format!("`{}`", last.ident),
            _ => return Ok(()),
        },
        Type::Reference(_) => "a reference".to_owned(),
        Type::BareFn(_) => "a function".to_owned(),
        _ => return Ok(()),
    };
    Err(Error::new_spanned(ty, format!("{what} cannot be written into a file and read back: {instead}")))
}

pub struct Field {
    pub ident: Ident,
    pub ty: Type,
    doc: String,
    default: Option<Expr>,
    example: Option<Expr>,
    sample: Option<Expr>,
    bounds: Option<TokenStream>,
    was: Vec<LitStr>,
    idle: bool,
}

/// The text of the doc comment, its lines joined, or an error at `at`.
pub fn doc_of(attrs: &[Attribute], at: &dyn ToTokens, what: &str) -> Result<String> {
    let lines: Vec<String> = attrs
        .iter()
        .filter_map(|a| match &a.meta {
            Meta::NameValue(nv) if nv.path.is_ident("doc") => match &nv.value {
                Expr::Lit(lit) => match &lit.lit {
                    Lit::Str(s) => Some(s.value().strip_prefix(' ').map_or_else(|| s.value(), str::to_owned)),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        })
        .collect();
    let text = lines.join("\n").trim().to_owned();
    if text.is_empty() {
        return Err(Error::new_spanned(
            at,
            format!("{what} needs a doc comment: it is the help text in `list`, `describe` and the schema"),
        ));
    }
    Ok(text)
}

/// Takes the fields out of a struct, and our attributes off them; `kind` is that of a plugin.
pub fn parse(item: &mut ItemStruct, kind: Option<&str>) -> Result<Vec<Field>> {
    let fields = match &mut item.fields {
        Fields::Named(named) => named.named.iter_mut().collect(),
        Fields::Unit => Vec::new(),
        Fields::Unnamed(_) => {
            return Err(Error::new_spanned(&item.fields, "fields need names: they are the keys in a file"));
        }
    };
    let mut all = Vec::new();
    let mut wrong: Option<Error> = None;
    for field in fields {
        match parse_field(field, kind) {
            Ok(f) => all.push(f),
            Err(e) => match &mut wrong {
                Some(w) => w.combine(e),
                None => wrong = Some(e),
            },
        }
    }
    wrong.map_or(Ok(all), Err)
}

fn parse_field(field: &mut syn::Field, kind: Option<&str>) -> Result<Field> {
    let ident = field.ident.clone().ok_or_else(|| Error::new_spanned(&*field, "a field needs a name"))?;
    if kind.is_some_and(|kind| reserved(kind).contains(&ident.to_string().as_str())) {
        return Err(Error::new_spanned(
            &ident,
            format!("`{ident}` is a key of the slot that holds the plugin: choose another name"),
        ));
    }
    let doc = doc_of(&field.attrs, &ident, "a parameter")?;
    lasting(
        &field.ty,
        "a parameter is a number, text, a list, a `#[config]` type or a `Plug`; what is made of them in a run belongs into \
         the state",
    )?;
    let (mut default, mut example, mut sample, mut bounds) = (None, None, None, None);
    let (mut was, mut idle) = (Vec::new(), false);
    let (ours, others): (Vec<_>, Vec<_>) =
        field.attrs.drain(..).partition(|a| a.path().is_ident("plugin") || a.path().is_ident("config"));
    field.attrs = others;
    for attr in ours {
        attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("default") {
                default = Some(meta.value()?.parse::<Expr>()?);
            } else if meta.path.is_ident("example") {
                example = Some(meta.value()?.parse::<Expr>()?);
            } else if meta.path.is_ident("sample") {
                sample = Some(meta.value()?.parse::<Expr>()?);
            } else if meta.path.is_ident("range") {
                let range: ExprRange = meta.value()?.parse()?;
                let open = matches!(range.limits, RangeLimits::HalfOpen(_)) && range.end.is_some();
                let low = range.start.map_or_else(|| quote!(f64::NEG_INFINITY), |e| quote!((#e) as f64));
                let high = range.end.map_or_else(|| quote!(f64::INFINITY), |e| quote!((#e) as f64));
                bounds = Some(quote!(::pleach_core::read::Bounds { min: #low, min_excluded: false, max: #high, max_excluded: #open }));
            } else if meta.path.is_ident("above") {
                let low: Expr = meta.value()?.parse()?;
                bounds = Some(quote!(::pleach_core::read::Bounds { min: (#low) as f64, min_excluded: true, max: f64::INFINITY, max_excluded: false }));
            } else if meta.path.is_ident("was") {
                was.push(meta.value()?.parse::<LitStr>()?);
            } else if meta.path.is_ident("idle") {
                idle = true;
            } else {
                return Err(meta.error("a field takes `default`, `example`, `sample`, `range`, `above`, `was` or `idle`"));
            }
            Ok(())
        })?;
    }
    let is_option = matches!(&field.ty, Type::Path(p) if p.path.segments.last().is_some_and(|s| s.ident == "Option"));
    if default.is_none() && example.is_none() {
        if !is_option {
            return Err(Error::new_spanned(
                &ident,
                format!(
                    "`{ident}` needs `#[plugin(default = ...)]`, or `#[plugin(example = ...)]` where a file must give it"
                ),
            ));
        }
        default = Some(syn::parse_quote!(::core::option::Option::None));
    }
    if default.is_some() && example.is_some() {
        return Err(Error::new_spanned(
            &ident,
            "a field has a default or an example, not both: an example says that a file must give the value",
        ));
    }
    Ok(Field { ident, ty: field.ty.clone(), doc, default, example, sample, bounds, was, idle })
}

/// The impls that read the struct, and `Default` where no field is required.
pub fn impls(name: &Ident, fields: &[Field], check: Option<&Expr>) -> TokenStream {
    let infos = fields.iter().map(|f| {
        let (key, doc, was) = (f.ident.to_string(), &f.doc, &f.was);
        let ty = pretty(&f.ty);
        let bounds = f.bounds.as_ref().map_or_else(|| quote!(::core::option::Option::None), |b| quote!(::core::option::Option::Some(#b)));
        let (required, sampled, idle) = (f.example.is_some(), f.sample.is_some(), f.idle);
        quote!(::pleach_core::registry::Field { name: #key, doc: #doc, ty: #ty, bounds: #bounds, required: #required, sampled: #sampled, was: &[#(#was),*], idle: #idle })
    });
    let reads = fields.iter().map(|f| {
        let (ident, ty, key) = (&f.ident, &f.ty, f.ident.to_string());
        let read = match &f.default {
            Some(default) => quote!(fields.optional::<#ty>(#key, || #default)),
            None => quote!(fields.required::<#ty>(#key)),
        };
        if f.bounds.is_some() {
            quote!(let #ident = #read; let #ident = fields.bounded(#key, #ident);)
        } else {
            quote!(let #ident = #read;)
        }
    });
    let idents: Vec<_> = fields.iter().map(|f| &f.ident).collect();
    let values = fields.iter().map(|f| f.sample.as_ref().or(f.default.as_ref()).or(f.example.as_ref()));
    let rules = check.map(|check| quote!(fields.rules(&value, #check);));
    let defaults = fields.iter().map(|f| &f.default);
    let default = fields.iter().all(|f| f.example.is_none()).then(|| {
        quote! {
            impl ::core::default::Default for #name {
                fn default() -> Self {
                    Self { #(#idents: #defaults),* }
                }
            }
        }
    });
    quote! {
        impl ::pleach_core::read::ReadTable for #name {
            const FIELDS: &'static [::pleach_core::registry::Field] = &[#(#infos),*];

            fn read_table(
                table: &::pleach_core::tree::Table,
                place: ::pleach_core::tree::Place,
                of: &str,
                r: &mut ::pleach_core::read::Reader,
            ) -> ::core::option::Option<Self> {
                #[allow(unused_mut)]
                let mut fields = ::pleach_core::read::Fields::open(table, place, of, Self::FIELDS, r);
                #(#reads)*
                if !fields.complete() {
                    return ::core::option::Option::None;
                }
                let value = Self { #(#idents: #idents?),* };
                #rules
                fields.complete().then_some(value)
            }

            fn sample() -> Self {
                Self { #(#idents: #values),* }
            }
        }
        #default
    }
}

/// A type as a reader of `describe` wants it: without paths and with single spaces.
fn pretty(ty: &Type) -> String {
    let text = ty.to_token_stream().to_string();
    let text = text
        .replace(" :: ", "::")
        .replace(" < ", "<")
        .replace(" > ", ">")
        .replace(" >", ">")
        .replace(" , ", ", ")
        .replace("[ ", "[")
        .replace(" ]", "]")
        .replace(" ;", ";");
    text.replace("std::path::", "").replace("& 'static ", "")
}
