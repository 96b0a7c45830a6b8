//! Runs progenitor over a shaped document and takes its output apart:
//! the types it made, and what each method takes and answers.

use std::collections::BTreeMap;

use progenitor::{GenerationSettings, Generator, InterfaceStyle, TagStyle};
use serde_json::Value;

use super::shape::HAND_WRITTEN;

/// What the generator made of one document.
#[derive(Debug)]
pub(crate) struct Generated {
    pub(crate) types: Vec<syn::Item>,
    pub(crate) methods: BTreeMap<String, Method>,
}

/// One method's signature.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) arguments: BTreeMap<String, syn::Type>,
    /// What stands inside `ResponseValue<..>`.
    pub(crate) answer: syn::Type,
}

pub(crate) fn generate(shaped: &Value) -> Result<Generated, String> {
    let document: openapiv3::OpenAPI = serde_json::from_value(shaped.clone())
        .map_err(|error| format!("the shaped document does not read: {error}"))?;
    let mut settings = GenerationSettings::new();
    settings.with_interface(InterfaceStyle::Positional).with_tag(TagStyle::Merged);
    settings.with_map_type("::std::collections::BTreeMap");
    for name in HAND_WRITTEN {
        settings.with_replacement(name, format!("crate::{name}"), std::iter::empty());
    }
    let tokens =
        Generator::new(&settings).generate_tokens(&document).map_err(|error| format!("progenitor: {error}"))?;
    let file: syn::File =
        syn::parse2(tokens).map_err(|error| format!("progenitor's output does not parse: {error}"))?;
    take_apart(file)
}

fn take_apart(file: syn::File) -> Result<Generated, String> {
    let mut types = Vec::new();
    let mut methods = BTreeMap::new();
    for item in file.items {
        match item {
            syn::Item::Mod(module) if module.ident == "types" => {
                types = module.content.map(|(_, items)| items).unwrap_or_default();
            }
            syn::Item::Impl(block) if block.trait_.is_none() && is_client(&block.self_ty) => {
                for item in block.items {
                    if let syn::ImplItem::Fn(method) = item
                        && method.sig.asyncness.is_some()
                    {
                        let name = method.sig.ident.to_string();
                        methods.insert(
                            name.clone(),
                            signature(&method.sig)
                                .ok_or_else(|| format!("progenitor's {name} has an unknown shape"))?,
                        );
                    }
                }
            }
            _ => {}
        }
    }
    Ok(Generated { types, methods })
}

fn is_client(ty: &syn::Type) -> bool {
    matches!(ty, syn::Type::Path(path) if path.path.is_ident("Client"))
}

fn signature(signature: &syn::Signature) -> Option<Method> {
    let mut arguments = BTreeMap::new();
    for argument in &signature.inputs {
        if let syn::FnArg::Typed(argument) = argument
            && let syn::Pat::Ident(name) = &*argument.pat
        {
            arguments.insert(name.ident.to_string(), (*argument.ty).clone());
        }
    }
    let syn::ReturnType::Type(_, result) = &signature.output else { return None };
    let answer = inner(&inner(result)?)?;
    Some(Method { arguments, answer })
}

/// The first type argument.
fn inner(ty: &syn::Type) -> Option<syn::Type> {
    let syn::Type::Path(path) = ty else { return None };
    let syn::PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    })
}
