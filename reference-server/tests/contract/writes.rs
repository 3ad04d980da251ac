//! Section 2.1, PutObject.

use super::client::{ALGORITHM, MD5};
use super::table::Evidence::{Der, Doc, Obs, Peer, Rep, Suite, Unk};
use super::table::Given::{Blocked, Demanding, Nothing, Object};
use super::table::{Row, Sent, TEXT, case, put, row, same, served};
use super::words::*;

const GUIDE: &[super::table::Pair] = &[A, GUIDE_KEY, GUIDE_MD5];

pub const ROWS: &[Row] = &[
    row(
        "P1",
        "the whole triple",
        (Obs, Peer),
        &[case(
            Nothing,
            put(T1),
            served(200).showing(ECHO1).read_by(BY_K1),
            served(200).showing(NO_ECHO_AND_MD5).read_by(BY_K1),
        )],
    ),
    row(
        "P2",
        "no SSE-C header",
        (Obs, Peer),
        &[case(
            Nothing,
            put(NONE),
            served(200)
                .showing(NAMES_SSE_S3)
                .read_by(&[(NONE, 200), (T1, 400)]),
            served(200)
                .showing(NO_ECHO_AND_MD5)
                .read_by(&[(NONE, 200), (T1, 200)]),
        )],
    ),
    row(
        "P3",
        "key and MD5, no algorithm",
        (Obs, Peer),
        &[case(
            Nothing,
            put(&[K1, M1]),
            ALG_MISSING,
            served(200).read_by(BY_K1),
        )],
    ),
    row(
        "P4",
        "algorithm and MD5, no key",
        (Obs, Peer),
        &[case(Nothing, put(&[A, M1]), KEY_MISSING, OVH_CLEAR)],
    )
    .departing(),
    row(
        "P5",
        "algorithm and key, no MD5",
        (Suite, Doc),
        &[case(
            Nothing,
            put(&[A, K1]),
            MD5_MISSING,
            served(200).read_by(BY_K1),
        )],
    ),
    row(
        "P6",
        "the algorithm alone",
        (Unk, Peer),
        &[case(Nothing, put(&[A]), KEY_MISSING, OVH_CLEAR)],
    )
    .departing(),
    row(
        "P7",
        "the key alone",
        (Unk, Peer),
        &[case(
            Nothing,
            put(&[K1]),
            ALG_MISSING,
            served(200).read_by(BY_K1),
        )],
    ),
    row(
        "P8",
        "the MD5 alone",
        (Unk, Peer),
        &[case(Nothing, put(&[M1]), ALG_MISSING, OVH_CLEAR)],
    )
    .departing(),
    row(
        "P9",
        "headers without a value",
        (Unk, Peer),
        &[
            case(
                Nothing,
                put(&[(ALGORITHM, ""), K0, (MD5, "")]),
                ALG_MISSING,
                OVH_CLEAR,
            ),
            case(
                Nothing,
                put(&[(ALGORITHM, ""), K1, M1]),
                ALG_MISSING,
                served(200).read_by(BY_K1),
            ),
            case(
                Nothing,
                put(&[A, K1, (MD5, "")]),
                MD5_MISSING,
                served(200).read_by(BY_K1),
            ),
        ],
    )
    .departing(),
    row(
        "P10",
        "the MD5 of another key",
        (Obs, Peer),
        &[case(
            Nothing,
            put(&[A, K1, M2]),
            MD5_MISMATCH,
            served(200).read_by(BY_K1),
        )],
    ),
    row(
        "P11a",
        "an MD5 that is not base64",
        (Unk, Peer),
        &[case(
            Nothing,
            put(&[A, K1, MD5_NO_BASE64]),
            MD5_TEXT,
            served(200).read_by(BY_K1),
        )],
    ),
    row(
        "P11b",
        "an MD5 of another length: what the guide's recipe makes",
        (Rep, Peer),
        &[case(
            Nothing,
            put(GUIDE),
            MD5_LENGTH,
            served(200).read_by(&[(GUIDE, 200), (T1, 403)]),
        )],
    ),
    row(
        "P12",
        "a key of 44 bytes, its own MD5",
        (Obs, Peer),
        &[case(Nothing, put(&[A, K44, M44]), KEY_INVALID, OVH_KEY)],
    ),
    row(
        "P13",
        "a key of 10 bytes, its own MD5",
        (Obs, Peer),
        &[case(Nothing, put(&[A, K10, M10]), KEY_INVALID, OVH_KEY)],
    ),
    row(
        "P14",
        "a key of 16, 31 or 33 bytes, its own MD5",
        (Unk, Peer),
        &[
            case(Nothing, put(&[A, K16, M16]), KEY_INVALID, OVH_KEY),
            case(Nothing, put(&[A, K31, M31]), KEY_INVALID, OVH_KEY),
            case(Nothing, put(&[A, K33, M33]), KEY_INVALID, OVH_KEY),
        ],
    ),
    row(
        "P15",
        "an empty key, the MD5 of nothing",
        (Unk, Peer),
        &[case(Nothing, put(&[A, K0, M0]), KEY_MISSING, OVH_CLEAR)],
    )
    .departing(),
    row(
        "P16",
        "a key that is not base64",
        (Unk, Peer),
        &[case(
            Nothing,
            put(&[A, KEY_NO_BASE64, M1]),
            KEY_INVALID,
            OVH_KEY,
        )],
    ),
    row(
        "P17",
        "a key in the alphabet of URLs",
        (Unk, Peer),
        &[case(
            Nothing,
            put(&[A, KEY_BASE64_URL, M1]),
            KEY_INVALID,
            OVH_KEY,
        )],
    ),
    row(
        "P18",
        "a key of another length, and an MD5 that is not its own",
        (Der, Peer),
        &[case(Nothing, put(&[A, K16, M1]), MD5_MISMATCH, OVH_KEY)],
    ),
    row(
        "P19",
        "algorithm `aes256`",
        (Unk, Peer),
        &[case(
            Nothing,
            put(&[(ALGORITHM, "aes256"), K1, M1]),
            ALG_INVALID.value("aes256"),
            served(200).read_by(BY_K1),
        )],
    ),
    row(
        "P20",
        "algorithm `AES128`, `AES192`",
        (Unk, Peer),
        &[
            case(
                Nothing,
                put(&[(ALGORITHM, "AES128"), K1, M1]),
                ALG_INVALID.value("AES128"),
                served(200).read_by(BY_K1),
            ),
            case(
                Nothing,
                put(&[(ALGORITHM, "AES192"), K1, M1]),
                ALG_INVALID.value("AES192"),
                served(200).read_by(BY_K1),
            ),
        ],
    ),
    row(
        "P21",
        "algorithm `KMS`",
        (Obs, Peer),
        &[case(
            Nothing,
            put(&[KMS, K1, M1]),
            ALG_INVALID.value("KMS"),
            served(200).read_by(BY_K1),
        )],
    ),
    row(
        "P22",
        "algorithm `aws:kms`",
        (Suite, Peer),
        &[case(
            Nothing,
            put(&[(ALGORITHM, "aws:kms"), K1, M1]),
            ALG_INVALID.value("aws:kms"),
            served(200).read_by(BY_K1),
        )],
    ),
    row(
        "P23",
        "with `x-amz-server-side-encryption: AES256`",
        (Obs, Peer),
        &[
            case(
                Nothing,
                put(&[A, K1, M1, SSE_S3]),
                MIXED.value("AES256"),
                served(200).read_by(BY_K1),
            ),
            case(
                Nothing,
                put(&[KMS, K1, M1, SSE_S3]),
                MIXED.value("AES256"),
                served(200).read_by(BY_K1),
            ),
        ],
    ),
    row(
        "P24",
        "with `x-amz-server-side-encryption: aws:kms`",
        (Unk, Peer),
        &[case(
            Nothing,
            put(&[A, K1, M1, SSE_KMS]),
            MIXED.value("aws:kms"),
            served(200).read_by(BY_K1),
        )],
    ),
    row(
        "P25",
        "with a KMS key id alone",
        (Unk, Peer),
        &[case(
            Nothing,
            put(&[A, K1, M1, KMS_KEY_ID]),
            MIXED,
            served(200).read_by(BY_K1),
        )],
    ),
    row(
        "P26",
        "a copy source's triple where nothing is copied",
        (Unk, Peer),
        &[same(Nothing, put(&[SA, SK1, SM1]), NOT_APPLICABLE)],
    )
    .departing(),
    row(
        "P27",
        "not over TLS",
        (Doc, Peer),
        &[same(Nothing, put(T1).sent(Sent::Plain), TLS)],
    )
    .departing(),
    row(
        "P28",
        "the bucket blocks SSE-C, whatever the triple is like",
        (Suite, Unk),
        &[
            same(Blocked, put(T1), BLOCKED),
            same(Blocked, put(&[A]), BLOCKED),
            same(Blocked, put(&[A, K1, M2]), BLOCKED),
            same(Blocked, put(NONE), served(200).read_by(&[(NONE, 200)])),
        ],
    ),
    row(
        "P29",
        "a bucket policy that asks for the algorithm header",
        (Doc, Unk),
        &[
            same(Demanding, put(NONE), DENIED_BY_POLICY),
            same(Demanding, put(&[(ALGORITHM, "AES192")]), DENIED_BY_POLICY),
            same(Demanding, put(T1), served(200).read_by(BY_K1)),
        ],
    ),
    row(
        "P30",
        "no bytes",
        (Unk, Peer),
        &[same(Nothing, put(T1).body(""), served(200).read_by(BY_K1))],
    ),
    row(
        "P31",
        "`Content-MD5` of the plaintext, right and wrong",
        (Doc, Peer),
        &[
            same(
                Nothing,
                put(&[A, K1, M1, ("content-md5", "avgwfCRg8tIIrSVPBL5LDQ==")]),
                served(200).read_by(BY_K1),
            ),
            same(
                Nothing,
                put(&[A, K1, M1, ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")]),
                BAD_DIGEST,
            ),
        ],
    ),
    row(
        "P32",
        "a declared checksum of the plaintext",
        (Obs, Unk),
        &[same(
            Nothing,
            put(&[A, K1, M1, ("x-amz-checksum-crc32", "qIrZrA==")]),
            served(200)
                .showing(&[("x-amz-checksum-crc32", Some("qIrZrA=="))])
                .read_by(BY_K1),
        )],
    ),
    row(
        "P33",
        "over an object under another key, or under none",
        (Obs, Peer),
        &[
            same(Object(T1, TEXT), put(T2), served(200).read_by(BY_K2)),
            same(
                Object(T1, TEXT),
                put(NONE),
                served(200).read_by(&[(NONE, 200)]),
            ),
            same(Object(NONE, TEXT), put(T1), served(200).read_by(BY_K1)),
        ],
    ),
];
