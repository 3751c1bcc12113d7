//! `[checks]`: severities of static checks that differ from those of the tier.

use crate::config::Reader;
use crate::model::{Check, Severity};
use std::collections::BTreeMap;

/// Reads the table; what it does not name keeps the tier's severity.
pub(super) fn read(reader: &mut Reader<'_>) -> BTreeMap<Check, Severity> {
    let ids: Vec<String> = Check::ALL.iter().map(|check| format!("\"{check}\"")).collect();
    let mend = format!("write one of these, in quotes: {}", ids.join(", "));
    let severities = Severity::ALL.map(|severity| (severity.as_str(), severity));
    let given = reader.choice_map("checks", &mend, |text| check(text).map(drop), &severities);
    given.into_iter().filter_map(|(id, severity)| check(&id).ok().map(|check| (check, severity))).collect()
}

fn check(text: &str) -> Result<Check, String> {
    Check::ALL.into_iter().find(|check| check.as_str() == text).ok_or_else(|| "there is no such check".to_owned())
}
