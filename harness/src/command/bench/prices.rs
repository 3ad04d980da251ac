//! What requests and bytes cost: a table in YAML, the user's own or the one that is shipped.

use std::path::Path;
use std::sync::Arc;

use super::Failure;
use crate::yaml::{self, Diagnostics, Node, Reader, SourceFile};

/// The table that is shipped, with its source inside.
const SHIPPED: &str = include_str!("../../../prices/aws-s3-us-east-1.yaml");

/// A table of prices.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Prices {
    /// Whose prices they are.
    pub(super) name: String,
    /// Where they were read, and when.
    pub(super) source: String,
    pub(super) currency: String,
    put: f64,
    copy: f64,
    list: f64,
    get: f64,
    head: f64,
    delete: f64,
    gib_in: f64,
    gib_out: f64,
}

/// Requests by kind, and bytes of bodies, that are to be paid.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Bill {
    /// Uploads, and each request of an upload in parts.
    pub(super) put: f64,
    pub(super) copy: f64,
    pub(super) list: f64,
    pub(super) get: f64,
    pub(super) head: f64,
    pub(super) delete: f64,
    /// Bytes to the target, and from it.
    pub(super) sent: f64,
    pub(super) received: f64,
}

impl Bill {
    pub(super) fn requests(&self) -> f64 {
        self.put + self.copy + self.list + self.get + self.head + self.delete
    }

    pub(super) fn add(&mut self, other: &Self, times: f64) {
        for (ours, theirs) in [
            (&mut self.put, other.put),
            (&mut self.copy, other.copy),
            (&mut self.list, other.list),
            (&mut self.get, other.get),
            (&mut self.head, other.head),
            (&mut self.delete, other.delete),
            (&mut self.sent, other.sent),
            (&mut self.received, other.received),
        ] {
            *ours += theirs * times;
        }
    }
}

impl Prices {
    /// The table of a file, or the shipped one.
    ///
    /// # Errors
    /// When the file cannot be read, or every mistake of it.
    pub(super) fn read(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(parse("aws-s3-us-east-1.yaml", SHIPPED.to_owned())?);
        };
        let text = yaml::read_text(path).map_err(|error| Failure::unreadable(path, &error))?;
        Ok(parse(&path.display().to_string(), text)?)
    }

    /// What a bill comes to, in the table's currency.
    pub(super) fn cost(&self, bill: &Bill) -> f64 {
        const GIB: f64 = (1u64 << 30) as f64;
        let requests = bill.put * self.put
            + bill.copy * self.copy
            + bill.list * self.list
            + bill.get * self.get
            + bill.head * self.head
            + bill.delete * self.delete;
        requests / 1000.0 + bill.sent / GIB * self.gib_in + bill.received / GIB * self.gib_out
    }
}

fn parse(name: &str, text: String) -> Result<Prices, Diagnostics> {
    let file = Arc::new(SourceFile {
        name: name.to_owned(),
        path: name.to_owned(),
        text,
    });
    let root = yaml::parse(&file)?;
    let mut reader = Reader::new(&file);
    let prices = decode(&root, &mut reader);
    let nothing = Prices {
        name: String::new(),
        source: String::new(),
        currency: String::new(),
        put: 0.0,
        copy: 0.0,
        list: 0.0,
        get: 0.0,
        head: 0.0,
        delete: 0.0,
        gib_in: 0.0,
        gib_out: 0.0,
    };
    // Whatever is missing has been noted.
    reader.finish().into_result(prices.unwrap_or(nothing))
}

fn decode(root: &Node, reader: &mut Reader<'_>) -> Option<Prices> {
    let mut fields = reader.fields(root, "a table of prices")?;
    let mut word = |name: &'static str, reader: &mut Reader<'_>| {
        let node = fields.required(name, reader)?;
        reader.word(node, name).map(str::to_owned)
    };
    let name = word("prices", reader);
    let source = word("source", reader);
    let currency = word("currency", reader);
    let gib_in = amount(fields.required("per-gib-in", reader), reader);
    let gib_out = amount(fields.required("per-gib-out", reader), reader);
    let requests = fields.required("per-1000-requests", reader);
    fields.finish(reader);
    let mut kinds = reader.fields(requests?, "the prices of 1000 requests")?;
    let mut of = |name: &'static str, reader: &mut Reader<'_>| {
        let node = kinds.required(name, reader);
        amount(node, reader)
    };
    let (put, copy, list) = (of("put", reader), of("copy", reader), of("list", reader));
    let (get, head, delete) = (of("get", reader), of("head", reader), of("delete", reader));
    kinds.finish(reader);
    Some(Prices {
        name: name?,
        source: source?,
        currency: currency?,
        put: put?,
        copy: copy?,
        list: list?,
        get: get?,
        head: head?,
        delete: delete?,
        gib_in: gib_in?,
        gib_out: gib_out?,
    })
}

/// A price: digits and a point, nothing below nothing.
fn amount(node: Option<&Node>, reader: &mut Reader<'_>) -> Option<f64> {
    let node = node?;
    let word = reader.word(node, "a price")?;
    let plain = word
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: Option<f64> = word.parse().ok();
    let number = number.filter(|number| plain && number.is_finite());
    reader.or_note(number.ok_or_else(|| format!("{word:?} is no price")), node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_table_is_what_its_source_says() {
        let prices = Prices::read(None).unwrap();
        assert_eq!(prices.currency, "USD");
        assert!(prices.source.contains("2026"), "{}", prices.source);
        let bill = Bill {
            put: 1_000_000.0,
            get: 10_000_000.0,
            delete: 1e9,
            sent: 1e12,
            received: 2f64.powi(30) * 100.0,
            ..Bill::default()
        };
        // $5.00, $4.00, nothing, nothing, $9.00.
        assert!(
            (prices.cost(&bill) - 18.0).abs() < 1e-6,
            "{}",
            prices.cost(&bill)
        );
    }

    #[test]
    fn every_mistake_of_a_table_is_told() {
        let wrong = SHIPPED
            .replace("put: 0.005", "put: cheap")
            .replace("head: 0.0004", "haed: 0.0004")
            .replace("per-gib-in: 0", "per-gib-in: -1")
            .replace("list: 0.005", &format!("list: {}", "9".repeat(400)));
        let told = parse("mine.yaml", wrong).unwrap_err().to_string();
        for says in [
            "cheap",
            "\"9999",
            "haed",
            "head",
            "\"-1\" is no price",
            "mine.yaml:",
        ] {
            assert!(told.contains(says), "{says}: {told}");
        }
        assert!(parse("mine.yaml", "prices: x\n".to_owned()).is_err());
    }
}
