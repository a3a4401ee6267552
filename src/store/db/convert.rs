//! How the vocabulary is written into columns and read back.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::domain::adapter::AdapterKind;
use crate::domain::answer::Answer;
use crate::domain::case::{Reason, Side};
use crate::domain::event::Action;
use crate::domain::ids::*;
use crate::domain::predictor::PredictorKind;
use crate::domain::split::Split;

macro_rules! integer_column {
    ($($name:ident),+) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.0.into())
            }
        }
        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_i64().map(Self)
            }
        }
    )+};
}

integer_column!(
    ItemId,
    SourceId,
    LabelSourceId,
    RevisionId,
    ExpertId,
    SessionId,
    ModelId,
    AdapterId,
    PredictorId,
    RoundId,
    CaseId,
    RunId
);

macro_rules! name_column {
    ($($name:ident),+) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }
        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_str()?.parse().map_err(|why: String| FromSqlError::Other(why.into()))
            }
        }
    )+};
}

name_column!(Split, Reason, Side, Action, AdapterKind, PredictorKind);

/// A UUID column: 16 bytes.
pub(in crate::store) struct Uuid16(pub uuid::Uuid);

impl ToSql for Uuid16 {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
    }
}

impl FromSql for Uuid16 {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        uuid::Uuid::from_slice(value.as_blob()?).map(Self).map_err(|e| FromSqlError::Other(e.into()))
    }
}

/// A column that holds JSON.
pub(in crate::store) struct Json<T>(pub T);

impl<T: serde::Serialize> ToSql for Json<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text =
            serde_json::to_string(&self.0).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
        Ok(text.into())
    }
}

impl<T: serde::de::DeserializeOwned> FromSql for Json<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(|e| FromSqlError::Other(e.into()))
    }
}

impl ToSql for Answer {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        serde_json::to_string(self)
            .map(Into::into)
            .map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))
    }
}

impl FromSql for Answer {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Json::column_result(value).map(|answer| answer.0)
    }
}

/// f32 values as bytes, little end first.
pub(in crate::store) fn f32_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// The f32 values of a blob, little end first; a trailing part of a value is not read.
pub(in crate::store) fn f32_values(bytes: &[u8]) -> impl Iterator<Item = f32> + '_ {
    bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b))
}
