//! Checksums over TLS: each algorithm in a header, in a trailer and in both framings of HTTP, right
//! and wrong; header names in any case; and headers that may come once only.

mod client;

use client::{ALGORITHM, Ask, K1, KEY, M1, MD5, Pair, Served, T1};
use reference_server::ssec::dialect::Dialect;

const PATH: &str = "/bucket/o";
const TEXT: &[u8] = b"test_data";

/// The checksums of `test_data`: from zlib, from openssl, and computed bit by bit from the polynomials
/// of the CRC catalogue.
const SUMS: [(&str, &str, &str); 5] = [
    ("x-amz-checksum-crc32", "qIrZrA==", "AAAAAA=="),
    ("x-amz-checksum-crc32c", "/bMPNQ==", "AAAAAA=="),
    ("x-amz-checksum-crc64nvme", "b26bJhxOfQc=", "AAAAAAAAAAA="),
    (
        "x-amz-checksum-sha1",
        "TyDGSSKKlNPMTTHp0S7Fk+IMAgI=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ),
    (
        "x-amz-checksum-sha256",
        "59h7c4glwzgkzz/TK3MUFh/IxCUSkWP/XnJg/HKI2jY=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ),
];

fn get<'a>(headers: &[Pair<'a>]) -> Ask<'a> {
    let mode = [("x-amz-checksum-mode", "ENABLED")];
    Ask::new("GET", PATH).with(headers).with(&mode)
}

/// The object is there, with this checksum; then it goes.
async fn stored(served: &Served, name: &str, sum: &str) {
    let read = served.send(&get(&T1)).await;
    assert_eq!(read.is(200).body, TEXT);
    assert_eq!(read.header(name), Some(sum));
    assert_eq!(read.header("x-amz-checksum-type"), Some("FULL_OBJECT"));
    served.send(&Ask::new("DELETE", PATH)).await.is(204);
}

#[tokio::test]
async fn each_algorithm_in_a_header() {
    let served = Served::start(Dialect::Aws).await;
    for (name, right, wrong) in SUMS {
        let put = |sum| {
            Ask::new("PUT", PATH)
                .with(&T1)
                .with(&[(name, sum)])
                .body(TEXT)
        };
        served.send(&put(wrong)).await.refused(400, "BadDigest");
        served
            .send(&put("AAAA"))
            .await
            .refused(400, "InvalidRequest");
        served.send(&get(&T1)).await.refused(404, "NoSuchKey");
        let reply = served.send(&put(right)).await;
        assert_eq!(reply.is(200).header(name), Some(right));
        stored(&served, name, right).await;
    }
}

#[tokio::test]
async fn each_algorithm_in_a_trailer() {
    let served = Served::start(Dialect::Aws).await;
    for (name, right, wrong) in SUMS {
        let framed = |sum: &str| format!("9\r\ntest_data\r\n0\r\n{name}:{sum}\r\n\r\n");
        for in_chunks in [false, true] {
            for (sum, code) in [(wrong, Some("BadDigest")), (right, None)] {
                let framed = framed(sum);
                let headers = [
                    ("content-encoding", "aws-chunked"),
                    ("x-amz-decoded-content-length", "9"),
                    ("x-amz-trailer", name),
                ];
                let ask = Ask::new("PUT", PATH)
                    .with(&T1)
                    .with(&headers)
                    .payload("STREAMING-UNSIGNED-PAYLOAD-TRAILER")
                    .body(framed.as_bytes());
                let bytes = served.signed(&ask);
                let bytes = if in_chunks {
                    in_http_chunks(&bytes)
                } else {
                    bytes
                };
                let reply = served.send_bytes(&bytes).await;
                match code {
                    Some(code) => {
                        reply.refused(400, code);
                        served.send(&get(&T1)).await.refused(404, "NoSuchKey");
                    }
                    None => {
                        assert_eq!(reply.is(200).header(name), Some(right));
                        stored(&served, name, right).await;
                    }
                }
            }
        }
    }
}

/// The same request with its body in HTTP's chunks of four bytes, and without its length.
fn in_http_chunks(request: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(request);
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let lines = head
        .split("\r\n")
        .filter(|line| !line.starts_with("Content-Length"));
    let mut out = lines.collect::<Vec<_>>().join("\r\n");
    out.push_str("\r\nTransfer-Encoding: chunked\r\n\r\n");
    for piece in body.as_bytes().chunks(4) {
        let piece = String::from_utf8_lossy(piece);
        out.push_str(&format!("{:x}\r\n{piece}\r\n", piece.len()));
    }
    out.push_str("0\r\n\r\n");
    out.into_bytes()
}

#[tokio::test]
async fn names_of_headers_in_any_case() {
    let served = Served::start(Dialect::Aws).await;
    let upper = [
        ("X-AMZ-SERVER-SIDE-ENCRYPTION-CUSTOMER-ALGORITHM", "AES256"),
        ("X-Amz-Server-Side-Encryption-Customer-Key", K1),
        ("x-amz-SERVER-side-encryption-customer-KEY-md5", M1),
    ];
    let put = Ask::new("PUT", PATH).with(&upper).body(TEXT);
    assert_eq!(served.send(&put).await.is(200).header(MD5), Some(M1));
    assert_eq!(served.send(&get(&upper)).await.is(200).body, TEXT);
    served.send(&get(&[])).await.refused(400, "InvalidRequest");
    // The value of the algorithm has one case.
    let lower = [(ALGORITHM, "aes256"), upper[1], upper[2]];
    served
        .send(&get(&lower))
        .await
        .refused(400, "InvalidEncryptionAlgorithmError");
}

#[tokio::test]
async fn a_header_that_comes_twice_is_not_a_single_one() {
    let served = Served::start(Dialect::Aws).await;
    served
        .send(&Ask::new("PUT", PATH).with(&T1).body(TEXT))
        .await
        .is(200);
    let md5 = "avgwfCRg8tIIrSVPBL5LDQ==";
    for (twice, code) in [
        ((ALGORITHM, "AES256"), "InvalidArgument"),
        ((KEY, K1), "InvalidArgument"),
        ((MD5, M1), "InvalidArgument"),
        (("content-md5", md5), "InvalidDigest"),
        (("x-amz-checksum-crc32", "qIrZrA=="), "InvalidRequest"),
        (("x-amz-acl", "private"), "InvalidArgument"),
        (("x-amz-storage-class", "STANDARD"), "InvalidArgument"),
        (("x-amz-metadata-directive", "COPY"), "InvalidArgument"),
    ] {
        let others: Vec<_> = T1
            .into_iter()
            .filter(|(name, _)| *name != twice.0)
            .collect();
        let put = |headers: &[Pair<'static>]| {
            Ask::new("PUT", PATH)
                .with(&others)
                .with(headers)
                .body(b"other")
        };
        // The same value, and so no contradiction; but which of them was meant?
        let reply = served.send(&put(&[twice, twice])).await;
        reply.refused(400, code);
        let read = served.send(&get(&T1)).await;
        assert_eq!(read.is(200).body, TEXT, "{}", twice.0);
    }
    for (name, value) in [(KEY, K1), (ALGORITHM, "AES256")] {
        let doubled = get(&T1).with(&[(name, value)]);
        served.send(&doubled).await.refused(400, "InvalidArgument");
    }
    // Metadata may have several values.
    let meta = [("x-amz-meta-a", "1"), ("x-amz-meta-a", "2")];
    let put = Ask::new("PUT", PATH).with(&T1).with(&meta).body(TEXT);
    served.send(&put).await.is(200);
}
