//! What every page has around its body: the policy that lets nothing in, the style, the script.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The style of all pages.
pub(super) const STYLE: &str = include_str!("page.css");
/// The script of a run's page.
pub(super) const SCRIPT: &str = include_str!("page.js");

/// SHA-256 of [`STYLE`] in base64; a test computes it anew.
const STYLE_HASH: &str = "kG5bJqo237uc58gVqbgOyrGec1416SMW1DB6cCvvX/g=";
/// SHA-256 of [`SCRIPT`] in base64; a test computes it anew.
const SCRIPT_HASH: &str = "LDjpq9HeuRcG1m6o/inolbKBj7V0Fcbglmylj3PvmBA=";

/// Whether a page has a script.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    Run,
    None,
}

/// The whole document.
pub(super) fn page(title: &str, body: &Markup, script: Script) -> Markup {
    let scripts = match script {
        Script::Run => format!("'sha256-{SCRIPT_HASH}'"),
        Script::None => "'none'".to_owned(),
    };
    // Nothing is fetched, nothing is sent, and of scripts and styles only these two are taken.
    let policy = format!(
        "default-src 'none'; script-src {scripts}; style-src 'sha256-{STYLE_HASH}'; \
         base-uri 'none'; form-action 'none'"
    );
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (body)
                @if script == Script::Run { script { (PreEscaped(SCRIPT)) } }
            }
        }
    }
}

/// The page's data; `json` holds no character that could end the element.
pub(super) fn data(json: &str) -> Markup {
    html! { script #data type="application/json" { (PreEscaped(json)) } }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_policy_names_the_style_and_the_script_that_are_there() {
        let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
        assert_eq!(hash(STYLE), STYLE_HASH);
        assert_eq!(hash(SCRIPT), SCRIPT_HASH);
        // Neither may end its element.
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</") && !SCRIPT.contains("<!--"));
    }
}
