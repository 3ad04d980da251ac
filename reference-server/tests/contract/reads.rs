//! Sections 2.2 and 2.3, GetObject and HeadObject.

use super::client::{ALGORITHM, MANAGED, MD5};
use super::table::Evidence::{Der, Doc, Obs, Peer, Rep, Suite, Unk};
use super::table::Given::{BlockedWith, Completed, Marked, Nothing, Object, TwoParts, Versions};
use super::table::{Given, Row, Sent, TEXT, case, get, head, row, same, served};
use super::words::*;

const SEALED: Given = Object(T1, TEXT);
const PLAIN: Given = Object(NONE, TEXT);
const EMPTY: Given = Object(T1, "");
const RANGE_0: (&str, &str) = ("range", "bytes=0-3");
const BEYOND: (&str, &str) = ("range", "bytes=99-");
const KNOWN: (&str, &str) = ("if-none-match", "{etag}");
const OTHER: (&str, &str) = ("if-match", "\"00000000000000000000000000000000\"");
const MODE: (&str, &str) = ("x-amz-checksum-mode", "ENABLED");
/// CRC64NVME of `test_data`, computed bit by bit from the polynomial of the CRC catalogue.
pub const CRC64: (&str, Option<&str>) = ("x-amz-checksum-crc64nvme", Some("b26bJhxOfQc="));
const FULL: (&str, Option<&str>) = ("x-amz-checksum-type", Some("FULL_OBJECT"));
const UNSUMMED: (&str, Option<&str>) = ("x-amz-checksum-crc64nvme", None);

pub const GETS: &[Row] = &[
    row(
        "G1",
        "the whole triple",
        (Obs, Peer),
        &[case(
            SEALED,
            get(T1),
            served(200).showing(ECHO1).with_body(TEXT),
            served(200).showing(NO_ECHO_AND_MD5).with_body(TEXT),
        )],
    ),
    row(
        "G2",
        "no header",
        (Obs, Doc),
        &[case(SEALED, get(NONE), NEED_KEY, OVH_MISSING)],
    ),
    row(
        "G3",
        "another key, its own MD5",
        (Obs, Peer),
        &[case(SEALED, get(T2), WRONG_KEY, OVH_WRONG)],
    ),
    row(
        "G4",
        "the key with the MD5 of another",
        (Unk, Peer),
        &[case(
            SEALED,
            get(&[A, K1, M2]),
            MD5_MISMATCH,
            served(200).with_body(TEXT),
        )],
    ),
    row(
        "G5",
        "another key with the MD5 of the key",
        (Unk, Peer),
        &[case(SEALED, get(&[A, K2, M1]), MD5_MISMATCH, OVH_WRONG)],
    ),
    row(
        "G6",
        "no MD5",
        (Unk, Peer),
        &[case(
            SEALED,
            get(&[A, K1]),
            MD5_MISSING,
            served(200).with_body(TEXT),
        )],
    ),
    row(
        "G7",
        "no algorithm",
        (Unk, Peer),
        &[case(
            SEALED,
            get(&[K1, M1]),
            ALG_MISSING,
            served(200).with_body(TEXT),
        )],
    ),
    row(
        "G8",
        "no key",
        (Unk, Peer),
        &[case(SEALED, get(&[A, M1]), KEY_MISSING, OVH_MISSING)],
    ),
    row(
        "G9",
        "the algorithm alone",
        (Unk, Peer),
        &[case(SEALED, get(&[A]), KEY_MISSING, OVH_MISSING)],
    ),
    row(
        "G10",
        "algorithm `KMS`, the right key",
        (Obs, Peer),
        &[case(
            SEALED,
            get(&[KMS, K1, M1]),
            ALG_INVALID.value("KMS"),
            served(200).with_body(TEXT),
        )],
    ),
    row(
        "G11",
        "algorithm `aes256`, `AES128`",
        (Unk, Peer),
        &[
            case(
                SEALED,
                get(&[(ALGORITHM, "aes256"), K1, M1]),
                ALG_INVALID.value("aes256"),
                served(200).with_body(TEXT),
            ),
            case(
                SEALED,
                get(&[(ALGORITHM, "AES128"), K1, M1]),
                ALG_INVALID.value("AES128"),
                served(200).with_body(TEXT),
            ),
        ],
    ),
    row(
        "G12",
        "a key of 44 bytes, its own MD5",
        (Obs, Peer),
        &[case(SEALED, get(&[A, K44, M44]), WRONG_KEY, OVH_KEY)],
    ),
    row(
        "G13",
        "a key of 16, 31 or 33 bytes; one that is not base64",
        (Unk, Peer),
        &[
            case(SEALED, get(&[A, K16, M16]), WRONG_KEY, OVH_KEY),
            case(SEALED, get(&[A, K31, M31]), WRONG_KEY, OVH_KEY),
            case(SEALED, get(&[A, K33, M33]), WRONG_KEY, OVH_KEY),
            case(SEALED, get(&[A, KEY_NO_BASE64, M1]), KEY_INVALID, OVH_KEY),
        ],
    ),
    row(
        "G14",
        "the triple for a plain object",
        (Rep, Peer),
        &[case(
            PLAIN,
            get(T1),
            NOT_APPLICABLE,
            served(200).showing(NO_ECHO).with_body(TEXT),
        )],
    ),
    row(
        "G15",
        "algorithm and an empty key for a plain object",
        (Rep, Peer),
        &[case(
            PLAIN,
            get(&[A, K0]),
            NOT_APPLICABLE,
            served(200).with_body(TEXT),
        )],
    ),
    row(
        "G16",
        "`x-amz-server-side-encryption` on a read",
        (Doc, Peer),
        &[
            case(
                SEALED,
                get(&[A, K1, M1, SSE_S3]),
                ON_READ.value("AES256"),
                served(200).with_body(TEXT),
            ),
            case(
                PLAIN,
                get(&[SSE_S3]),
                ON_READ.value("AES256"),
                served(200).with_body(TEXT),
            ),
        ],
    ),
    row(
        "G17",
        "no such object, good headers and bad ones",
        (Unk, Peer),
        &[
            same(Nothing, get(T1), NO_SUCH_KEY),
            same(Nothing, get(&[A]), NO_SUCH_KEY),
        ],
    ),
    row(
        "G18",
        "not over TLS",
        (Doc, Peer),
        &[same(SEALED, get(T1).sent(Sent::Plain), TLS)],
    )
    .departing(),
    row(
        "G19",
        "the bucket blocks SSE-C since the object was stored",
        (Doc, Unk),
        &[same(BlockedWith(T1), get(T1), served(200).with_body(TEXT))],
    ),
    row(
        "G20",
        "another key for an object of no bytes",
        (Unk, Unk),
        &[
            case(EMPTY, get(T2), WRONG_KEY, OVH_WRONG),
            case(EMPTY, get(NONE), NEED_KEY, OVH_MISSING),
        ],
    ),
    row(
        "G21",
        "ranges, over the border of parts and from the end",
        (Suite, Peer),
        &[
            case(
                SEALED,
                get(&[A, K1, M1, RANGE_0]),
                served(206).showing(ECHO1).with_body("test"),
                served(206).showing(NO_ECHO).with_body("test"),
            ),
            same(
                TwoParts(T1),
                get(&[A, K1, M1, ("range", "bytes=5242878-5242883")]),
                served(206)
                    .showing(&[("content-range", Some("bytes 5242878-5242883/5242889"))])
                    .with_body("aatest"),
            ),
            same(
                TwoParts(T1),
                get(&[A, K1, M1, ("range", "bytes=-11")]),
                served(206).with_body("aatest_data"),
            ),
        ],
    ),
    row(
        "G22",
        "a range with no header; with another key",
        (Der, Peer),
        &[
            case(SEALED, get(&[RANGE_0]), NEED_KEY, OVH_MISSING),
            case(SEALED, get(&[A, K2, M2, RANGE_0]), WRONG_KEY, OVH_WRONG),
        ],
    ),
    row(
        "G23",
        "a range beyond the end",
        (Obs, Peer),
        &[
            same(PLAIN, get(&[BEYOND]), RANGE),
            same(SEALED, get(&[A, K1, M1, BEYOND]), RANGE),
            case(SEALED, get(&[A, K2, M2, BEYOND]), WRONG_KEY, OVH_WRONG),
        ],
    ),
    row(
        "G24",
        "a range and a part number",
        (Suite, Unk),
        &[same(
            Completed(T1, T1),
            get(&[A, K1, M1, RANGE_0]).query(&[("partNumber", "1")]),
            RANGE_AND_PART,
        )],
    ),
    row(
        "G25",
        "a part by its number",
        (Suite, Unk),
        &[same(
            TwoParts(T1),
            get(T1).query(&[("partNumber", "2")]),
            served(206)
                .showing(&[
                    ("x-amz-mp-parts-count", Some("2")),
                    ("etag", Some("{etag}")),
                ])
                .with_body(TEXT),
        )],
    ),
    row(
        "G26",
        "part 1 of an object that has no parts",
        (Suite, Unk),
        &[same(
            SEALED,
            get(T1).query(&[("partNumber", "1")]),
            served(206)
                .showing(&[("x-amz-mp-parts-count", None)])
                .with_body(TEXT),
        )],
    ),
    row(
        "G27",
        "a part number beyond the last",
        (Suite, Unk),
        &[
            same(SEALED, get(T1).query(&[("partNumber", "2")]), PART_RANGE),
            same(
                Completed(T1, T1),
                get(T1).query(&[("partNumber", "2")]),
                PART_RANGE,
            ),
        ],
    ),
    row(
        "G28",
        "an older version with its own key",
        (Obs, Peer),
        &[same(
            Versions(T1, T2),
            get(T1).query(&[("versionId", "{version}")]),
            served(200).with_body(TEXT),
        )],
    ),
    row(
        "G29",
        "the newest version with the key of an older one, and the reverse",
        (Obs, Peer),
        &[
            case(Versions(T1, T2), get(T1), WRONG_KEY, OVH_WRONG),
            case(
                Versions(T1, T2),
                get(T2).query(&[("versionId", "{version}")]),
                WRONG_KEY,
                OVH_WRONG,
            ),
        ],
    ),
    row(
        "G30",
        "a delete marker, as the newest version and by its id",
        (Unk, Unk),
        &[
            same(Marked(T1), get(T1), NO_SUCH_KEY),
            same(
                Marked(T1),
                get(T1).query(&[("versionId", "{version}")]),
                IS_MARKER,
            ),
        ],
    ),
    row(
        "G31",
        "`If-None-Match` of its `ETag`, no header",
        (Unk, Unk),
        &[case(SEALED, get(&[KNOWN]), NEED_KEY, OVH_MISSING)],
    ),
    row(
        "G32",
        "`If-None-Match` of its `ETag`, another key",
        (Unk, Unk),
        &[case(SEALED, get(&[A, K2, M2, KNOWN]), WRONG_KEY, OVH_WRONG)],
    ),
    row(
        "G33",
        "`If-None-Match` of its `ETag`, the key",
        (Der, Peer),
        &[same(
            SEALED,
            get(&[A, K1, M1, KNOWN]),
            served(304).with_body(""),
        )],
    ),
    row(
        "G34",
        "`If-Match` of another `ETag`, the key",
        (Der, Peer),
        &[same(SEALED, get(&[A, K1, M1, OTHER]), PRECONDITION)],
    ),
    row(
        "G35",
        "checksum mode, the key",
        (Obs, Unk),
        &[case(
            SEALED,
            get(&[A, K1, M1, MODE]),
            served(200).showing(&[CRC64, FULL]).with_body(TEXT),
            served(200).showing(&[UNSUMMED]).with_body(TEXT),
        )],
    ),
];

pub const HEADS: &[Row] = &[
    row(
        "H1",
        "the whole triple",
        (Obs, Doc),
        &[case(
            SEALED,
            head(T1),
            served(200).showing(&[
                (ALGORITHM, Some("AES256")),
                (MD5, Some(M1.1)),
                (MANAGED, None),
                ("accept-ranges", Some("bytes")),
                ("content-length", Some("9")),
                ("etag", Some("{etag}")),
            ]),
            served(200).showing(NO_ECHO_AND_MD5),
        )],
    ),
    row(
        "H2",
        "no header",
        (Rep, Doc),
        &[case(SEALED, head(NONE), NEED_KEY, OVH_MISSING)],
    ),
    row(
        "H3",
        "another key",
        (Der, Peer),
        &[case(SEALED, head(T2), WRONG_KEY, OVH_WRONG)],
    ),
    row(
        "H4",
        "algorithm `KMS`",
        (Obs, Peer),
        &[case(SEALED, head(&[KMS, K1, M1]), ALG_INVALID, served(200))],
    ),
    row(
        "H5",
        "a key of 44 bytes, its own MD5",
        (Obs, Peer),
        &[case(SEALED, head(&[A, K44, M44]), WRONG_KEY, OVH_KEY)],
    ),
    row(
        "H6",
        "no MD5",
        (Unk, Peer),
        &[case(SEALED, head(&[A, K1]), MD5_MISSING, served(200))],
    ),
    row(
        "H7",
        "the key with the MD5 of another",
        (Unk, Peer),
        &[case(SEALED, head(&[A, K1, M2]), MD5_MISMATCH, served(200))],
    ),
    row(
        "H8",
        "the triple for a plain object",
        (Rep, Peer),
        &[case(PLAIN, head(T1), NOT_APPLICABLE, served(200))],
    ),
    row(
        "H9",
        "a part number, a range",
        (Suite, Unk),
        &[
            same(
                SEALED,
                head(&[A, K1, M1, RANGE_0]),
                served(206).showing(&[("content-length", Some("4"))]),
            ),
            same(
                SEALED,
                head(T1).query(&[("partNumber", "1")]),
                served(206).showing(&[("content-length", Some("9"))]),
            ),
            same(SEALED, head(T1).query(&[("partNumber", "2")]), PART_RANGE),
        ],
    ),
    row(
        "H10",
        "`If-None-Match` of its `ETag`, no header",
        (Unk, Unk),
        &[case(SEALED, head(&[KNOWN]), NEED_KEY, OVH_MISSING)],
    ),
    row(
        "H11",
        "checksum mode, the key; and without the mode",
        (Obs, Unk),
        &[
            case(
                SEALED,
                head(&[A, K1, M1, MODE]),
                served(200).showing(&[CRC64, FULL]),
                served(200).showing(&[UNSUMMED]),
            ),
            same(SEALED, head(T1), served(200).showing(&[UNSUMMED])),
        ],
    ),
];
