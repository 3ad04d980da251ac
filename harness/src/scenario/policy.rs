//! The policy of a `put-policy`: statements that deny.

use super::definition::Denial;
use crate::yaml::{Code, Node, Reader};

/// What stands for the condition key that a policy about SSE-C looks at.
const ALGORITHM: (&str, &str) = (
    "algorithm",
    "s3:x-amz-server-side-encryption-customer-algorithm",
);

/// One statement, or a list of them.
pub(super) fn denials(node: &Node, reader: &mut Reader<'_>) -> Vec<Denial> {
    let items = Reader::one_or_list(node);
    items
        .iter()
        .filter_map(|item| denial(item, reader))
        .collect()
}

fn denial(node: &Node, reader: &mut Reader<'_>) -> Option<Denial> {
    let mut fields = reader.fields(node, "a statement of `put-policy`")?;
    let actions = fields.required("deny", reader);
    let actions = actions.map(|node| reader.texts(node, "an action"));
    let mut conditions = Vec::new();
    if let Some(node) = fields.optional("when") {
        for operator in reader.named(node, "`when`").unwrap_or_default() {
            for key in reader
                .named(&operator.value, "a condition")
                .unwrap_or_default()
            {
                let values = reader.texts(&key.value, "a condition's value");
                let name = match key.key.text.as_str() {
                    alias if alias == ALGORITHM.0 => ALGORITHM.1,
                    name => name,
                };
                conditions.push((operator.key.text.clone(), name.to_owned(), values));
            }
        }
    }
    fields.finish(reader);
    let actions = actions?;
    if let Some(action) = actions.iter().find(|action| !action.starts_with("s3:")) {
        let message = format!("`{action}` is no action: it begins with `s3:`");
        let error = reader.error_at(Code::BadValue, node, message);
        reader.push(error);
        return None;
    }
    Some(Denial {
        actions,
        conditions,
    })
}
