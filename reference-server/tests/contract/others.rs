//! Sections 2.4, 2.7, 2.8 and 2.9: deletions, attributes, Select, lists, forms and presigned URLs.

use super::client::{ALGORITHM, KEY, MD5};
use super::table::Evidence::{Der, Doc, Obs, Peer, Rep, Suite, Unk};
use super::table::Given::{Blocked, Completed, Nothing, Object, Upload, Versions};
use super::table::Pair;
use super::table::Sent::{Changed, Covering, PlainUrl, Presigned, Without};
use super::table::{
    Given, Request, Row, TEXT, case, copy, delete, form, get, head, on_bucket, post, put, row,
    same, served,
};
use super::words::*;

const SEALED: Given = Object(T1, TEXT);
const GONE: &[(&[Pair], u16)] = &[(T1, 404)];
const LOWER_MD5: &str = "x-amz-server-side-encryption-customer-key-md5";

const fn attributes(headers: &'static [Pair]) -> Request {
    get(headers).query(&[("attributes", "")])
}

const WANTED: Pair = (
    "x-amz-object-attributes",
    "ETag,Checksum,ObjectParts,ObjectSize",
);

pub const DELETIONS: &[Row] = &[
    row(
        "D1",
        "an object, no key",
        (Obs, Doc),
        &[same(SEALED, delete(NONE), served(204).read_by(GONE))],
    ),
    row(
        "D2",
        "an object, a wrong triple",
        (Unk, Unk),
        &[same(SEALED, delete(T2), served(204).read_by(GONE))],
    ),
    row(
        "D3",
        "a version, no key",
        (Der, Unk),
        &[same(
            Versions(T1, T2),
            delete(NONE).query(&[("versionId", "{version}")]),
            served(204).read_by(&[(T2, 200)]),
        )],
    ),
    row(
        "D4",
        "a batch, no key",
        (Der, Unk),
        &[same(
            SEALED,
            on_bucket("POST", &[("delete", "")])
                .body("<Delete><Object><Key>o</Key></Object></Delete>"),
            served(200)
                .holding(&["<Deleted><Key>o</Key>"])
                .read_by(GONE),
        )],
    ),
    row(
        "D5",
        "an upload, no key",
        (Der, Peer),
        &[same(
            Upload(T1),
            delete(NONE).query(&[("uploadId", "{upload}")]),
            served(204),
        )],
    ),
    row(
        "D6",
        "tags, no key",
        (Doc, Unk),
        &[
            same(
                SEALED,
                put(NONE).query(&[("tagging", "")]).body(
                    "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
                ),
                served(200).read_by(BY_K1),
            ),
            same(
                SEALED,
                get(NONE).query(&[("tagging", "")]),
                served(200).holding(&["<TagSet"]),
            ),
        ],
    ),
];

pub const REST: &[Row] = &[
    row(
        "A1",
        "attributes with the triple",
        (Obs, Peer),
        &[case(
            SEALED,
            attributes(&[A, K1, M1, WANTED]),
            served(200).showing(NO_ECHO).holding(&[
                "<ETag>{bare}</ETag>",
                "<ObjectSize>9</ObjectSize>",
                "<ChecksumCRC64NVME>b26bJhxOfQc=</ChecksumCRC64NVME>",
            ]),
            served(200).holding(&["<ObjectSize>9</ObjectSize>"]),
        )],
    ),
    row(
        "A2",
        "attributes without a header",
        (Suite, Unk),
        &[case(SEALED, attributes(&[WANTED]), NEED_KEY, OVH_MISSING)],
    ),
    row(
        "A3",
        "attributes with another key",
        (Unk, Unk),
        &[case(
            SEALED,
            attributes(&[A, K2, M2, WANTED]),
            WRONG_KEY,
            OVH_WRONG,
        )],
    ),
    row(
        "A4",
        "attributes with algorithm `KMS`",
        (Obs, Unk),
        &[case(
            SEALED,
            attributes(&[KMS, K1, M1, WANTED]),
            ALG_INVALID.value("KMS"),
            served(200),
        )],
    ),
    row(
        "A5",
        "the parts of an object with a declared checksum",
        (Suite, Unk),
        &[case(
            Completed(
                &[A, K1, M1, ("x-amz-checksum-algorithm", "CRC32")],
                &[A, K1, M1],
            ),
            attributes(&[A, K1, M1, WANTED]),
            served(200).holding(&[
                "<PartsCount>1</PartsCount>",
                "<ChecksumType>COMPOSITE</ChecksumType>",
                "<PartNumber>1</PartNumber><Size>9</Size><ChecksumCRC32>qIrZrA==</ChecksumCRC32>",
            ]),
            served(200).holding(&["<PartsCount>1</PartsCount>"]),
        )],
    ),
    row(
        "S1",
        "SelectObjectContent with the triple",
        (Doc, Unk),
        &[same(
            SEALED,
            post(T1).query(&[("select", ""), ("select-type", "2")]),
            NOT_THERE,
        )],
    ),
    row(
        "S2",
        "SelectObjectContent without a key",
        (Unk, Unk),
        &[same(
            SEALED,
            post(NONE).query(&[("select", ""), ("select-type", "2")]),
            NOT_THERE,
        )],
    ),
    row(
        "L1",
        "lists, no key",
        (Der, Peer),
        &[
            same(
                SEALED,
                on_bucket("GET", &[("list-type", "2")]),
                served(200).holding(&[
                    "<Key>o</Key>",
                    "<Size>9</Size>",
                    "<ETag>&quot;{bare}&quot;</ETag>",
                ]),
            ),
            same(
                SEALED,
                on_bucket("GET", &[("versions", "")]),
                served(200).holding(&["<Key>o</Key>", "<Size>9</Size>"]),
            ),
        ],
    ),
    row(
        "L2",
        "lists show no checksum",
        (Doc, Unk),
        &[same(
            Object(&[A, K1, M1, ("x-amz-checksum-crc32", "qIrZrA==")], TEXT),
            on_bucket("GET", &[("list-type", "2")]),
            served(200).holding(&["<Key>o</Key>", "!qIrZrA=="]),
        )],
    ),
];

pub const FORMS: &[Row] = &[
    row(
        "F1",
        "the triple as fields of the policy",
        (Doc, Unk),
        &[case(
            Nothing,
            form(T1, &[]),
            served(204).showing(ECHO1).read_by(BY_K1),
            served(204).showing(NO_ECHO_AND_MD5).read_by(BY_K1),
        )],
    ),
    row(
        "F2",
        "fields outside the policy",
        (Doc, Unk),
        &[
            same(Nothing, form(T1, &[KEY]), EXTRA_FIELDS),
            same(Nothing, form(T1, &[ALGORITHM]), EXTRA_FIELDS),
            same(Nothing, form(T1, &[MD5]), EXTRA_FIELDS),
        ],
    ),
    row(
        "F3",
        "a flawed triple",
        (Unk, Unk),
        &[
            case(
                Nothing,
                form(&[K1, M1], &[]),
                ALG_MISSING,
                served(204).read_by(BY_K1),
            ),
            case(Nothing, form(&[A, M1], &[]), KEY_MISSING, OVH_CLEAR),
            case(
                Nothing,
                form(&[A, K1, M2], &[]),
                MD5_MISMATCH,
                served(204).read_by(BY_K1),
            ),
            case(Nothing, form(&[A, K10, M10], &[]), KEY_INVALID, OVH_KEY),
        ],
    ),
    row(
        "F4",
        "the triple as headers of the POST",
        (Unk, Unk),
        &[same(Nothing, form(NONE, &[]).with(T1), UNSIGNED)],
    ),
    row(
        "F5",
        "the bucket blocks SSE-C",
        (Unk, Unk),
        &[
            same(Blocked, form(T1, &[]), BLOCKED),
            same(
                Blocked,
                form(NONE, &[]),
                served(204).read_by(&[(NONE, 200)]),
            ),
        ],
    ),
];

const ALL: &[&str] = &[ALGORITHM, KEY, LOWER_MD5];

pub const PRESIGNED: &[Row] = &[
    row(
        "U1",
        "all three signed, all sent",
        (Doc, Doc),
        &[
            same(
                Nothing,
                put(T1).sent(Presigned(ALL)),
                served(200).read_by(BY_K1),
            ),
            same(
                SEALED,
                get(T1).sent(Presigned(ALL)),
                served(200).with_body(TEXT),
            ),
            same(SEALED, head(T1).sent(Presigned(ALL)), served(200)),
        ],
    ),
    row(
        "U2",
        "the algorithm signed, key and MD5 sent unsigned",
        (Doc, Doc),
        &[
            same(
                Nothing,
                put(T1).sent(Presigned(&[ALGORITHM])),
                served(200).read_by(BY_K1),
            ),
            same(
                SEALED,
                get(T1).sent(Presigned(&[ALGORITHM])),
                served(200).with_body(TEXT),
            ),
        ],
    ),
    row(
        "U3",
        "none signed, all sent",
        (Rep, Doc),
        &[
            same(Nothing, put(T1).sent(Presigned(&[])), UNSIGNED),
            same(SEALED, get(T1).sent(Presigned(&[])), UNSIGNED),
        ],
    ),
    row(
        "U4",
        "key and MD5 signed, the algorithm not",
        (Unk, Doc),
        &[same(
            Nothing,
            put(T1).sent(Presigned(&[KEY, LOWER_MD5])),
            UNSIGNED,
        )],
    ),
    row(
        "U5",
        "all signed, none sent",
        (Obs, Unk),
        &[same(
            Nothing,
            put(T1).sent(Without(&[ALGORITHM, KEY, MD5])),
            BAD_SIG,
        )],
    ),
    row(
        "U6",
        "all signed, another key sent",
        (Der, Unk),
        &[
            same(Nothing, put(T1).sent(Changed(KEY, K2.1)), BAD_SIG),
            same(SEALED, get(T1).sent(Changed(KEY, K2.1)), BAD_SIG),
        ],
    ),
    row(
        "U7",
        "the algorithm signed and sent, nothing else",
        (Unk, Unk),
        &[case(
            SEALED,
            get(&[A]).sent(Presigned(&[ALGORITHM])),
            KEY_MISSING,
            OVH_MISSING,
        )],
    ),
    row(
        "U8",
        "nothing signed, nothing sent",
        (Der, Unk),
        &[case(
            SEALED,
            get(NONE).sent(Presigned(&[])),
            NEED_KEY,
            OVH_MISSING,
        )],
    ),
    row(
        "U9",
        "PUT with the triple in the query",
        (Rep, Unk),
        &[same(
            Nothing,
            put(NONE).query(T1).sent(Presigned(&[])),
            IN_QUERY,
        )],
    )
    .stricter(),
    row(
        "U10",
        "GET, HEAD with the triple in the query",
        (Rep, Unk),
        &[
            same(SEALED, get(NONE).query(T1).sent(Presigned(&[])), IN_QUERY),
            same(SEALED, head(NONE).query(T1).sent(Presigned(&[])), IN_QUERY),
        ],
    )
    .stricter(),
    row(
        "U11",
        "the algorithm in the query, key and MD5 as headers",
        (Unk, Unk),
        &[same(
            SEALED,
            get(&[K1, M1])
                .query(&[A])
                .sent(Presigned(&[KEY, LOWER_MD5])),
            IN_QUERY,
        )],
    ),
    row(
        "U12",
        "not over TLS",
        (Doc, Unk),
        &[
            same(Nothing, put(T1).sent(PlainUrl), TLS),
            same(SEALED, get(T1).sent(PlainUrl), TLS),
        ],
    ),
    row(
        "U13",
        "the signature in a header, the triple not signed",
        (Unk, Unk),
        &[
            same(Nothing, put(T1).sent(Covering(&[])), UNSIGNED),
            same(SEALED, get(T1).sent(Covering(&[ALGORITHM])), UNSIGNED),
        ],
    ),
    row(
        "U14",
        "parts and copies as presigned URLs",
        (Der, Unk),
        &[
            same(
                Upload(T1),
                put(T1)
                    .query(&[("partNumber", "1"), ("uploadId", "{upload}")])
                    .sent(Presigned(ALL)),
                served(200),
            ),
            same(
                SEALED,
                copy(&[ITSELF, SA, SK1, SM1, A, K2, M2]).sent(Presigned(&[
                    "x-amz-copy-source",
                    "x-amz-copy-source-server-side-encryption-customer-algorithm",
                    "x-amz-copy-source-server-side-encryption-customer-key",
                    "x-amz-copy-source-server-side-encryption-customer-key-md5",
                    ALGORITHM,
                    KEY,
                    LOWER_MD5,
                ])),
                served(200).read_by(BY_K2),
            ),
        ],
    ),
    row(
        "U15",
        "a signed header, and a parameter of its name with another value",
        (Doc, Unk),
        &[same(
            Nothing,
            put(&[A, K1, M1, ("x-amz-acl", "private")])
                .query(&[("x-amz-acl", "public-read")])
                .sent(Presigned(&[ALGORITHM, KEY, LOWER_MD5, "x-amz-acl"])),
            CONFLICT,
        )],
    ),
];
