//! Lists of declarations, each ended by a semicolon: `events!` and `errors!`.
//!
//! Invariant: parsing ends, and whatever was understood is kept beside the mistakes.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Path, Token};

use crate::krate::Krate;
use crate::mistakes::Mistakes;

/// Reads `crate = path;`, if it stands there, and every declaration: `one` takes one of them, `keep` gets it. `end` is what a
/// declaration ends in. Returns where the runtime is.
pub(crate) fn read<D>(
    input: TokenStream,
    end: &str,
    mistakes: &mut Mistakes,
    one: impl Fn(ParseStream<'_>, &mut Mistakes) -> syn::Result<Option<D>>,
    mut keep: impl FnMut(D, &mut Mistakes),
) -> Krate {
    let mut krate = Krate::standard();
    let parser = |input: ParseStream<'_>| {
        if input.peek(Token![crate]) && input.peek2(Token![=]) {
            input.parse::<Token![crate]>()?;
            input.parse::<Token![=]>()?;
            krate = Krate::at(&input.call(Path::parse_mod_style)?);
            input.parse::<Token![;]>()?;
        }
        while !input.is_empty() {
            let before = mistakes.count();
            match one(input, mistakes) {
                Ok(Some(one)) => keep(one, mistakes),
                Ok(None) => {}
                Err(error) => mistakes.push(error),
            }
            if !input.is_empty() && !input.peek(Token![;]) {
                if mistakes.count() == before {
                    mistakes.here(input.span(), format!("expected `;` after the {end}"));
                }
                while !input.is_empty() && !input.peek(Token![;]) {
                    // Any token tree parses.
                    let _ = input.parse::<TokenTree>();
                }
            }
            // The last declaration may go without.
            let _ = input.parse::<Option<Token![;]>>();
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(input) {
        mistakes.push(error);
    }
    krate
}
