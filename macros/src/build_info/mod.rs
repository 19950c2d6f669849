//! `build_info!()`: commit, `Cargo.lock` and features of the package that is compiled, as constants.
//!
//! Invariant: what cannot be found out is absent; it is never a mistake, so that a build without a repository works.
//! The files that it depends on are named to the compiler, which expands it anew when one of them changes.

mod features;
mod repository;
mod sha256;

use std::path::{Path, PathBuf};

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::krate::Krate;

/// The value.
pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut errors = None;
    if !input.is_empty() {
        let message = "`build_info!` takes nothing; write `tapelog::build_info!()`";
        errors = Some(syn::Error::new_spanned(&input, message).to_compile_error());
    }
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    let repository = repository::look(&folder);
    let lock = nearest(&folder, "Cargo.lock");
    let lock_sha256 =
        lock.as_ref().and_then(|path| std::fs::read(path).ok()).map(|bytes| sha256::hex(&bytes));
    let features = features::of(&folder.join("Cargo.toml"));
    let mut watched = repository.watched;
    watched.extend(lock);
    write(&repository.commit, repository.dirty, lock_sha256.as_ref(), &features, &watched, errors)
}

fn write(
    commit: &Option<String>,
    dirty: Option<bool>,
    lock_sha256: Option<&String>,
    features: &[String],
    watched: &[PathBuf],
    errors: Option<TokenStream>,
) -> TokenStream {
    let krate = Krate::standard();
    let private = krate.private();
    let watched = watched.iter().filter_map(|path| path.to_str());
    let text = |value: Option<&String>| match value {
        Some(value) => quote!(#private::build::Some(#value)),
        None => quote!(#private::build::None),
    };
    let (commit, lock_sha256) = (text(commit.as_ref()), text(lock_sha256));
    let dirty = match dirty {
        Some(dirty) => quote!(#private::build::Some(#dirty)),
        None => quote!(#private::build::None),
    };
    quote_spanned!(Span::mixed_site()=> {
        #errors
        #(const _: &[u8] = #private::build::include_bytes!(#watched);)*
        // Sources that are built outside of their repository: TAPELOG_COMMIT says which commit they are.
        const SAID: #private::build::Option<&str> = #private::build::option_env!("TAPELOG_COMMIT");
        #private::build::BuildInfo::new(
            #private::build::env!("CARGO_PKG_VERSION"),
            match SAID {
                #private::build::Some(commit) => #private::build::Some(commit),
                #private::build::None => #commit,
            },
            match SAID {
                #private::build::Some(_) => #private::build::None,
                #private::build::None => #dirty,
            },
            #lock_sha256,
            &[#(#[cfg(feature = #features)] #features,)*],
        )
    })
}

/// The file of this name in the folder, or in the nearest one above it.
fn nearest(folder: &Path, name: &str) -> Option<PathBuf> {
    folder.ancestors().map(|above| above.join(name)).find(|path| path.is_file())
}
