//! A record's fields by their names in the table, for rules that read records.

use std::collections::BTreeMap;

use super::{FieldId, FieldType, Value};
use crate::ids::{RecordId, RecordKind};
use crate::time::{Day, Week};

/// The fields of one record, by name: of each all its values, which are more than one in conflict.
pub(crate) struct Named<'a>(
    pub(crate) RecordKind,
    pub(crate) &'a BTreeMap<FieldId, Vec<Value>>,
);

impl Named<'_> {
    pub(crate) fn values(&self, name: &str) -> &[Value] {
        let field = super::field_named(super::newest(), self.0, name);
        let values = field.and_then(|field| self.1.get(&field.id));
        values.map_or(&[], Vec::as_slice)
    }

    pub(crate) fn numbers(&self, name: &str) -> impl Iterator<Item = u32> {
        self.values(name).iter().filter_map(|value| match value {
            Value::Integer(n) => u32::try_from(*n).ok(),
            _ => None,
        })
    }

    pub(crate) fn flags(&self, name: &str) -> impl Iterator<Item = bool> {
        self.values(name).iter().filter_map(|value| match value {
            Value::Boolean(flag) => Some(*flag),
            _ => None,
        })
    }

    /// What is promised: false if anybody says so.
    pub(crate) fn promised(&self, name: &str) -> Option<bool> {
        self.flags(name).min()
    }

    /// What is needed: true if anybody says so.
    pub(crate) fn needed(&self, name: &str) -> bool {
        self.flags(name).any(|flag| flag)
    }

    pub(crate) fn days(&self, name: &str) -> impl Iterator<Item = Day> {
        self.values(name).iter().filter_map(|value| match value {
            Value::Day(day) => Some(*day),
            _ => None,
        })
    }

    pub(crate) fn records(&self, name: &str) -> impl Iterator<Item = RecordId> {
        self.values(name).iter().filter_map(|value| match value {
            Value::Record(id) => Some(*id),
            _ => None,
        })
    }

    pub(crate) fn weeks(&self, name: &str) -> impl Iterator<Item = Week> {
        self.values(name).iter().filter_map(|value| match value {
            Value::Week(week) => Some(*week),
            _ => None,
        })
    }

    /// The words of its codes.
    pub(crate) fn words(&self, name: &str) -> Vec<&'static str> {
        let field = super::field_named(super::newest(), self.0, name);
        let Some(FieldType::Code(codes)) = field.map(|field| field.accepts) else {
            return Vec::new();
        };
        let words = self.values(name).iter().filter_map(|value| match value {
            Value::Code(code) => codes.get(usize::from(*code)).copied(),
            _ => None,
        });
        words.collect()
    }
}
