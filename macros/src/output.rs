//! What a function returns, as far as its tokens say.
//!
//! Invariant: decided by syntax alone, so it is only ever used where a wrong guess still compiles and still tells the
//! truth. Whether a named type is a `Result` is read from the type, in the runtime.

use proc_macro2::TokenStream;
use quote::quote;
use syn::visit_mut::{self, VisitMut};
use syn::{GenericArgument, Path, PathArguments, ReturnType, Type, TypeParamBound};

/// The kinds of return type that are wrapped in different ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// `()`, or none written.
    Unit,
    /// `!`
    Never,
    /// A type that cannot be a `Result`: numbers, references, tuples, `Option`, …
    Plain,
    /// `impl Trait`, other than a future.
    Opaque,
    /// `impl Future<…>`
    Future,
    /// `Pin<Box<dyn Future<…>>>`
    BoxedFuture,
    /// A path: `Result`, an alias of it, a type of the user's, a generic parameter.
    Named,
}

impl Output {
    /// What the return type of a function says.
    pub(crate) fn of(output: &ReturnType) -> Self {
        match output {
            ReturnType::Default => Self::Unit,
            ReturnType::Type(_, ty) => Self::of_type(ty),
        }
    }

    fn of_type(ty: &Type) -> Self {
        match ty {
            Type::Paren(ty) => Self::of_type(&ty.elem),
            Type::Group(ty) => Self::of_type(&ty.elem),
            Type::Never(_) => Self::Never,
            Type::Tuple(tuple) if tuple.elems.is_empty() => Self::Unit,
            Type::ImplTrait(opaque) if only_a_future(opaque.bounds.iter()) => Self::Future,
            Type::ImplTrait(_) => Self::Opaque,
            Type::Path(ty) if ty.qself.is_none() && is_boxed_future(&ty.path) => Self::BoxedFuture,
            Type::Path(ty) if ty.qself.is_none() && is_plain(&ty.path) => Self::Plain,
            Type::Path(_) | Type::Macro(_) | Type::Infer(_) | Type::Verbatim(_) => Self::Named,
            _ => Self::Plain,
        }
    }
}

/// Nothing but `Future`, auto traits and lifetimes: then another future may take its place.
fn only_a_future<'a>(bounds: impl Iterator<Item = &'a TypeParamBound>) -> bool {
    let mut future = false;
    for bound in bounds {
        match bound {
            TypeParamBound::Trait(bound) => match bound.path.segments.last() {
                Some(last) if last.ident == "Future" => future = true,
                Some(last) if last.ident == "Send" || last.ident == "Sync" => {}
                _ => return false,
            },
            TypeParamBound::Lifetime(_) | TypeParamBound::PreciseCapture(_) => {}
            _ => return false,
        }
    }
    future
}

/// `Pin<Box<dyn Future + …>>`, or the aliases of the `futures` crate.
fn is_boxed_future(path: &Path) -> bool {
    let Some(last) = path.segments.last().map(|last| last.ident.to_string()) else { return false };
    match &*last {
        "BoxFuture" | "LocalBoxFuture" => return true,
        "Pin" => {}
        _ => return false,
    }
    let Some(Type::Path(inner)) = only_argument(path, "Pin") else { return false };
    match only_argument(&inner.path, "Box") {
        Some(Type::TraitObject(object)) => only_a_future(object.bounds.iter()),
        _ => false,
    }
}

fn only_argument<'a>(path: &'a Path, name: &str) -> Option<&'a Type> {
    let last = path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(ty) if arguments.args.len() == 1 => Some(ty),
        _ => None,
    }
}

/// Whether a function says that its errors are texts: `Result<_, String>`, `Result<_, &str>`.
pub(crate) fn fails_with_text(output: &ReturnType) -> bool {
    let ReturnType::Type(_, ty) = output else { return false };
    let Type::Path(ty) = &**ty else { return false };
    let Some(PathArguments::AngleBracketed(arguments)) = ty.path.segments.last().map(|last| &last.arguments)
    else {
        return false;
    };
    let text = |ty: &Type| match ty {
        Type::Path(ty) => ty.path.is_ident("String"),
        Type::Reference(ty) => matches!(&*ty.elem, Type::Path(ty) if ty.path.is_ident("str")),
        _ => false,
    };
    arguments.args.len() == 2 && matches!(arguments.args.last(), Some(GenericArgument::Type(ty)) if text(ty))
}

/// What the future that a function returns will give, where the signature says so.
pub(crate) fn awaited(output: &ReturnType) -> Option<TokenStream> {
    let ReturnType::Type(_, ty) = output else { return None };
    let mut ty = awaited_type(ty)?.clone();
    Erase.visit_type_mut(&mut ty);
    Some(quote!(#ty))
}

fn awaited_type(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Paren(ty) => awaited_type(&ty.elem),
        Type::Group(ty) => awaited_type(&ty.elem),
        Type::ImplTrait(opaque) => output_of(opaque.bounds.iter()),
        Type::TraitObject(object) => output_of(object.bounds.iter()),
        Type::Path(path) => {
            let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else {
                return None;
            };
            let inner = arguments.args.iter().rev().find_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })?;
            let alias = ["BoxFuture", "LocalBoxFuture"]
                .iter()
                .any(|alias| path.path.segments.last().is_some_and(|last| last.ident == alias));
            if alias { Some(inner) } else { awaited_type(inner) }
        }
        _ => None,
    }
}

fn output_of<'a>(mut bounds: impl Iterator<Item = &'a TypeParamBound>) -> Option<&'a Type> {
    let future = bounds.find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().filter(|last| last.ident == "Future"),
        _ => None,
    })?;
    let PathArguments::AngleBracketed(arguments) = &future.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(&assoc.ty),
        _ => None,
    })
}

/// Names of the language and the prelude that nobody gives to a `Result`. A user who shadows one of them with an alias
/// of `Result` reads `ok` where `err` was meant; so the list holds only names for which that would be perverse.
fn is_plain(path: &Path) -> bool {
    const PLAIN: [&str; 22] = [
        "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
        "isize", "f32", "f64", "String", "Vec", "Option", "HashMap", "BTreeMap",
    ];
    let (1, Some(segment)) = (path.segments.len(), path.segments.first()) else { return false };
    // Once: each comparison would ask the compiler for the text.
    let name = segment.ident.to_string();
    let names = if segment.arguments.is_none() { &PLAIN[..] } else { &PLAIN[17..] };
    names.contains(&&*name)
}

/// The return type with `_` for each `impl Trait`, as it can be written on a closure; nothing where it would be `_`.
pub(crate) fn annotation(output: &ReturnType) -> Option<Type> {
    let ReturnType::Type(_, ty) = output else { return Some(syn::parse_quote!(())) };
    let mut ty = (**ty).clone();
    Erase.visit_type_mut(&mut ty);
    (!matches!(ty, Type::Infer(_))).then_some(ty)
}

struct Erase;

impl VisitMut for Erase {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if matches!(ty, Type::ImplTrait(_)) {
            *ty = syn::parse_quote!(_);
        } else {
            visit_mut::visit_type_mut(self, ty);
        }
    }
}
