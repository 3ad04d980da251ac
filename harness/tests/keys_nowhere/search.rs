//! Secrets in every form, and the search for them. It asks none of the code that hides them.

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD, Engine as _};

/// Bytes by which a form is looked up; the shortest form is longer.
const START: usize = 16;
/// Slots that tell quickly that no form begins somewhere.
const SLOTS: usize = 1 << 20;

/// Forms that must not be found, by their first bytes.
pub(crate) struct Forms {
    /// Whether any form begins with bytes of that slot.
    slots: Vec<bool>,
    /// Sorted.
    forms: Vec<Vec<u8>>,
}

/// What is written after the bytes for each that is no letter or digit.
fn percent(text: &str, lower: bool) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ if lower => format!("%{byte:02x}"),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// All forms of some secret bytes: raw, base64 of both alphabets, hex, percent, and base64 twice.
fn forms_of(secret: &[u8]) -> Vec<Vec<u8>> {
    let base64 = BASE64_STANDARD.encode(secret);
    let url_safe = BASE64_URL_SAFE.encode(secret);
    let escaped: String = secret.iter().map(|byte| format!("%{byte:02X}")).collect();
    [
        base64.trim_end_matches('=').to_owned(),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
        BASE64_STANDARD.encode(&base64),
        hex::encode(secret),
        hex::encode_upper(secret),
        percent(&base64, false),
        percent(&base64, true),
        percent(&url_safe, false),
        escaped.to_ascii_lowercase(),
        escaped,
        // As JSON may write it.
        base64.replace('/', "\\/"),
    ]
    .map(String::into_bytes)
    .into_iter()
    .chain([secret.to_vec()])
    .collect()
}

fn slot(start: &[u8]) -> usize {
    let four = u32::from_le_bytes([start[0], start[1], start[2], start[3]]);
    four.wrapping_mul(0x9e37_79b1) as usize >> 12 & (SLOTS - 1)
}

impl Forms {
    pub(crate) fn of<'s>(secrets: impl IntoIterator<Item = &'s [u8]>) -> Self {
        let mut forms: Vec<_> = secrets.into_iter().flat_map(forms_of).collect();
        forms.sort();
        forms.dedup();
        let mut slots = vec![false; SLOTS];
        for form in &forms {
            assert!(form.len() >= START, "too short to be searched for");
            slots[slot(form)] = true;
        }
        Self { slots, forms }
    }

    pub(crate) fn are_in(&self, text: &[u8]) -> bool {
        text.windows(START)
            .enumerate()
            .filter(|(_, window)| self.slots[slot(window)])
            .any(|(at, window)| {
                let first = self.forms.partition_point(|form| form[..START] < *window);
                let same = self.forms[first..].iter();
                same.take_while(|form| form.starts_with(window))
                    .any(|form| text[at..].starts_with(form))
            })
    }
}

/// Whether a name of a signature, in a URL or a form, is followed by a signature.
pub(crate) fn holds_a_presigned_signature(text: &[u8]) -> bool {
    let names: [&[u8]; 2] = [b"X-Amz-Signature", b"x-amz-signature"];
    let found = names
        .into_iter()
        .flat_map(|name| memchr::memmem::find_iter(text, name).map(move |at| at + name.len()));
    found.into_iter().any(|end| {
        let rest = &text[end..];
        let rest = rest.strip_prefix(b"%3D").unwrap_or(rest);
        let blanks = rest.iter().take_while(|byte| b"=\": \\".contains(byte));
        let value = &rest[blanks.count()..];
        value.len() >= 64 && value[..64].iter().all(u8::is_ascii_hexdigit)
    })
}

#[test]
fn each_form_of_a_secret_would_be_seen() {
    let secret = |number: u8| {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &[number]);
        <[u8; 32]>::try_from(digest.as_ref()).unwrap()
    };
    let secrets: Vec<[u8; 32]> = (0..200).map(secret).collect();
    let forms = Forms::of(secrets.iter().map(<[u8; 32]>::as_slice));
    for form in forms_of(&secrets[150]) {
        let text = [b"before ".as_slice(), &form, b" behind"].concat();
        assert!(forms.are_in(&text), "{}", form.escape_ascii());
        let cut = &form[..form.len() - 1];
        // One byte less is another value, but where a longer form holds a shorter one.
        let text = [b"before ".as_slice(), &cut[1..], b"\0behind"].concat();
        assert!(!forms.are_in(&text), "{}", form.escape_ascii());
    }
    assert!(!forms.are_in(b"<key:alice as base64>, and nothing else that is long"));
}

#[test]
fn a_presigned_signature_would_be_seen() {
    let signature = "0".repeat(64);
    for text in [
        format!("/?X-Amz-Signature={signature}"),
        format!("X-Amz-Signature%3D{signature}&"),
        format!("x-amz-signature: {signature}"),
        format!("\"X-Amz-Signature\": \"{signature}\""),
    ] {
        assert!(holds_a_presigned_signature(text.as_bytes()), "{text}");
    }
    for text in [
        "/?X-Amz-Signature=<signature>",
        "X-Amz-Signature",
        "X-Amz-Signature=-",
    ] {
        assert!(!holds_a_presigned_signature(text.as_bytes()), "{text}");
    }
}
