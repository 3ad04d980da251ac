//! Forms cut at every place, and what is no form.

use http::HeaderValue;
use proptest::prelude::*;

use super::*;

const BOUNDARY: &str = "b0undary";

fn part(disposition: &str, value: &str) -> String {
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{value}\r\n")
}

/// A form with these fields and this file.
fn form(fields: &[(&str, &str)], file: &str) -> String {
    let fields: String = fields
        .iter()
        .map(|(name, value)| part(&format!("name=\"{name}\""), value))
        .collect();
    let file = part("name=\"file\"; filename=\"a.txt\"", file);
    format!("{fields}{file}--{BOUNDARY}--\r\n")
}

type Fields = Vec<(String, String)>;

/// Fields, file name and file of a form that arrives in pieces of this length.
fn read(form: &str, piece: usize) -> Result<(Fields, Option<String>, Vec<u8>), Code> {
    let mut reader = FieldReader::new(BOUNDARY);
    let mut pieces = form.as_bytes().chunks(piece.max(1));
    let mut fields = Fields::new();
    let (filename, mut input) = loop {
        match reader.next().map_err(|error| error.code())? {
            Next::More => match pieces.next() {
                Some(piece) => reader.push(piece),
                None => return Err(Code::IncompleteBody),
            },
            Next::Field(name, value) => fields.push((name, value)),
            Next::File(filename, first) => break (filename, first),
            Next::End => return Err(Code::InvalidArgument),
        }
    };
    let mut decoder = FileDecoder::new(BOUNDARY);
    let mut file = Vec::new();
    loop {
        while let Some(bytes) = decoder.decode(&mut input).map_err(|error| error.code())? {
            file.extend_from_slice(&bytes);
        }
        match pieces.next() {
            Some(piece) => input = Bytes::copy_from_slice(piece),
            None => break,
        }
    }
    decoder.end().map_err(|error| error.code())?;
    Ok((fields, filename, file))
}

#[test]
fn fields_and_file_are_read_however_they_are_cut() {
    let file = "line\r\n--b0undar\r\n--b\r\r\n-\r\n--b0undarx end\r";
    let text = form(
        &[("key", "a b"), ("Empty", ""), ("x", "\r\n--b0\r\n")],
        file,
    );
    let preamble = format!("to be ignored\r\n{text}epilogue");
    for piece in [1, 2, 3, 7, 64, 4096] {
        for text in [&text, &preamble] {
            let (fields, filename, stored) = read(text, piece).unwrap();
            let names: Vec<_> = fields
                .iter()
                .map(|(n, v)| (n.as_str(), v.as_str()))
                .collect();
            assert_eq!(
                names,
                [("key", "a b"), ("Empty", ""), ("x", "\r\n--b0\r\n")]
            );
            assert_eq!(filename.as_deref(), Some("a.txt"));
            assert_eq!(stored, file.as_bytes());
        }
    }
    assert_eq!(read(&form(&[], ""), 1).unwrap().2, b"");
}

#[test]
fn no_beginning_of_a_form_is_a_form() {
    let text = form(&[("key", "k")], "the\r\nfile");
    let whole = text.len() - "\r\n".len();
    assert!(read(&text[..whole], 5).is_ok());
    for length in 0..whole {
        assert!(read(&text[..length], 5).is_err(), "{length} bytes");
    }
}

#[test]
fn what_is_no_form_is_refused() {
    let good = form(&[("key", "k")], "file");
    assert!(read(&good, 9).is_ok());
    for (from, to) in [
        ("form-data; name=\"key\"", "form-data"),
        ("form-data; name=\"key\"", "attachment; name=\"key\""),
        ("form-data; name=\"key\"", "form-data; filename=\"x\""),
        (
            "Content-Disposition: form-data; name=\"key\"",
            "Content-Type: text/plain",
        ),
        ("name=\"key\"", "name=\"key"),
        ("--b0undary\r\nContent", "--b0undaryx\r\nContent"),
        (
            "name=\"key\"",
            "name=\"key\"\r\nContent-Transfer-Encoding: base64",
        ),
        (
            "name=\"key\"",
            "name=\"key\"\r\nContent-Disposition: form-data; name=\"key\"",
        ),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        assert_eq!(read(&bad, 9), Err(Code::MalformedPOSTRequest), "{bad}");
    }
    let lax = good.replacen("--b0undary\r\nContent", "--b0undary \t\r\nContent", 1);
    assert!(read(&lax, 1).is_ok());
}

#[test]
fn fields_behind_the_file_count_for_nothing_and_a_second_file_is_refused() {
    let text = form(&[("key", "k")], "file");
    let with = |part: String| text.replace("--b0undary--", &format!("{part}--b0undary--"));
    let (fields, _, file) = read(&with(part("name=\"acl\"", "public-read")), 3).unwrap();
    assert_eq!((fields.len(), file.as_slice()), (1, &b"file"[..]));
    let second = with(part("name=\"FILE\"; filename=\"b\"", "other"));
    assert_eq!(read(&second, 3), Err(Code::InvalidArgument));
    let long = with(part("name=\"acl\"", &"a".repeat(MAX_TAIL_BYTES)));
    assert_eq!(read(&long, 1000), Err(Code::MalformedPOSTRequest));
    let epilogue = |length| format!("{text}{}", "e".repeat(length));
    assert!(read(&epilogue(MAX_TAIL_BYTES - 4), 1000).is_ok());
    assert_eq!(
        read(&epilogue(MAX_TAIL_BYTES), 1000),
        Err(Code::MalformedPOSTRequest)
    );
}

#[test]
fn there_is_a_limit_before_the_file_and_none_in_it() {
    let with = |length| form(&[("key", &"k".repeat(length))], &"f".repeat(100_000));
    let in_front = with(0).find("ffff").unwrap();
    let fits = MAX_FIELDS_BYTES - in_front;
    for piece in [100, 1 << 20] {
        assert!(read(&with(fits), piece).is_ok());
        let refused = read(&with(fits + 1), piece);
        assert_eq!(refused, Err(Code::MaxPostPreDataLengthExceededError));
    }
    let endless = "p".repeat(MAX_FIELDS_BYTES + 1);
    assert_eq!(
        read(&endless, 100),
        Err(Code::MaxPostPreDataLengthExceededError)
    );
}

/// Carriage returns may each begin the delimiter. Runs of them come out in pieces of the size they
/// came in, not one by one.
#[test]
fn runs_of_carriage_returns_pass_in_few_pieces() {
    let mut decoder = FileDecoder::new(BOUNDARY);
    let run = "\r".repeat(1000);
    let (mut pieces, mut length) = (0, 0);
    for _ in 0..10 {
        let mut input = Bytes::from(run.clone());
        while let Some(bytes) = decoder.decode(&mut input).unwrap() {
            (pieces, length) = (pieces + 1, length + bytes.len());
        }
    }
    let mut end = Bytes::from(format!("\r\r\n--{BOUNDARY}--"));
    while let Some(bytes) = decoder.decode(&mut end).unwrap() {
        (pieces, length) = (pieces + 1, length + bytes.len());
    }
    decoder.end().unwrap();
    assert_eq!(length, 10_001);
    assert!(pieces <= 22, "{pieces}");
}

#[track_caller]
fn check_name(disposition: &str, expected: Option<&str>) {
    assert_eq!(parameter(disposition, "filename").as_deref(), expected);
}

#[test]
fn names_of_files() {
    check_name("; name=\"file\"; filename=\"a;b=c.txt\"", Some("a;b=c.txt"));
    check_name("; name=file; FileName=a.txt", Some("a.txt"));
    check_name("; filename=\"say \\\"hi\\\"\"; x=y", Some("say \"hi\""));
    check_name(
        "; filename=\"C:\\Program Files\\f.txt\"",
        Some("C:\\Program Files\\f.txt"),
    );
    check_name("; filename=\"\"", Some(""));
    check_name("; name=\"filename\"", None);
}

#[track_caller]
fn check_boundary(value: &str, expected: Result<Option<&str>, Code>) {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_str(value).unwrap());
    let found = boundary(&headers).map_err(|error| error.code());
    assert_eq!(
        found.as_ref().map(Option::as_deref),
        expected.as_ref().copied()
    );
}

#[test]
fn boundaries() {
    check_boundary("multipart/form-data; boundary=ab--c", Ok(Some("ab--c")));
    check_boundary(
        "Multipart/Form-Data;charset=x; Boundary=\"a b\"",
        Ok(Some("a b")),
    );
    let longest = "b".repeat(MAX_BOUNDARY);
    check_boundary(
        &format!("multipart/form-data; boundary={longest}"),
        Ok(Some(&longest)),
    );
    check_boundary("text/html; boundary=a", Ok(None));
    for bad in [
        "",
        "; boundary=",
        "; boundary=\"a \"",
        "; boundary=a;b\"",
        "; boundary=a{b",
    ] {
        let expected = match bad {
            "; boundary=a;b\"" => Ok(Some("a")),
            _ => Err(Code::MalformedPOSTRequest),
        };
        check_boundary(&format!("multipart/form-data{bad}"), expected);
    }
    check_boundary(
        &format!("multipart/form-data; boundary={longest}b"),
        Err(Code::MalformedPOSTRequest),
    );
}

proptest! {
    #[test]
    fn a_file_comes_out_as_it_went_in(file in "[\r\n\\-b0undary]{0,60}", piece in 1..40_usize) {
        // What holds the delimiter itself is no file that a client may send.
        prop_assume!(!format!("\r\n{file}\r\n").contains("\r\n--b0undary"));
        let read = read(&form(&[("key", "k")], &file), piece).unwrap();
        prop_assert_eq!(read.2, file.into_bytes());
    }

    #[test]
    fn nothing_panics(bytes in "[\r\n\\-;:=\" b0undarycotesipfrm]{0,200}", piece in 1..40_usize) {
        let _ = read(&bytes, piece);
        let _ = read(&format!("{}{bytes}", part("name=\"file\"", "")), piece);
    }
}
