//! Values of Arrow as JSON: what a person would write for them. A date is ISO text, a decimal its digits, a list a list and a struct an object; bytes are a
//! text where they are UTF-8 and null where they are not.

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_schema::{DataType, IntervalUnit, TimeUnit};
use jiff::civil::{Date, Time};
use jiff::{Timestamp, Unit};

use crate::domain::row_stream::{null, number, text};

/// Nested deeper than this a value is null.
const DEEPEST: usize = 32;

/// Bytes of a row after which a list is cut: the row is refused for its length.
const FULL: usize = 64 << 20;

/// Writes one value of a column.
pub(super) fn push(out: &mut Vec<u8>, column: &dyn Array, row: usize) {
    value(out, column, row, 0);
}

fn value(out: &mut Vec<u8>, of: &dyn Array, row: usize, depth: usize) {
    if depth > DEEPEST || of.is_null(row) {
        return null(out);
    }
    match of.data_type() {
        DataType::Boolean => {
            out.extend_from_slice(if of.as_boolean().value(row) { b"true" } else { b"false" });
        }
        DataType::Int8 => digits::<Int8Type>(out, of, row),
        DataType::Int16 => digits::<Int16Type>(out, of, row),
        DataType::Int32 => digits::<Int32Type>(out, of, row),
        DataType::Int64 => digits::<Int64Type>(out, of, row),
        DataType::UInt8 => digits::<UInt8Type>(out, of, row),
        DataType::UInt16 => digits::<UInt16Type>(out, of, row),
        DataType::UInt32 => digits::<UInt32Type>(out, of, row),
        DataType::UInt64 => digits::<UInt64Type>(out, of, row),
        DataType::Float16 => float(out, of.as_primitive::<Float16Type>().value(row).to_f32()),
        DataType::Float32 => float(out, of.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => {
            let value = of.as_primitive::<Float64Type>().value(row);
            let _ = serde_json::to_writer(out, &value);
        }
        DataType::Utf8 => text(out, of.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => text(out, of.as_string::<i64>().value(row)),
        DataType::Utf8View => text(out, of.as_string_view().value(row)),
        DataType::Binary => bytes(out, of.as_binary::<i32>().value(row)),
        DataType::LargeBinary => bytes(out, of.as_binary::<i64>().value(row)),
        DataType::BinaryView => bytes(out, of.as_binary_view().value(row)),
        DataType::FixedSizeBinary(_) => bytes(out, of.as_fixed_size_binary().value(row)),
        DataType::Decimal32(..) => decimal::<Decimal32Type>(out, of, row),
        DataType::Decimal64(..) => decimal::<Decimal64Type>(out, of, row),
        DataType::Decimal128(..) => decimal::<Decimal128Type>(out, of, row),
        DataType::Decimal256(..) => decimal::<Decimal256Type>(out, of, row),
        DataType::Timestamp(unit, zone) => {
            let count = match unit {
                TimeUnit::Second => of.as_primitive::<TimestampSecondType>().value(row),
                TimeUnit::Millisecond => of.as_primitive::<TimestampMillisecondType>().value(row),
                TimeUnit::Microsecond => of.as_primitive::<TimestampMicrosecondType>().value(row),
                TimeUnit::Nanosecond => of.as_primitive::<TimestampNanosecondType>().value(row),
            };
            maybe(out, moment(count, *unit, zone.is_some()));
        }
        DataType::Date32 => maybe(out, date(of.as_primitive::<Date32Type>().value(row).into())),
        DataType::Date64 => {
            maybe(out, moment(of.as_primitive::<Date64Type>().value(row), TimeUnit::Millisecond, false));
        }
        DataType::Time32(unit) => {
            let count = match unit {
                TimeUnit::Second => of.as_primitive::<Time32SecondType>().value(row),
                _ => of.as_primitive::<Time32MillisecondType>().value(row),
            };
            maybe(out, time(count.into(), *unit));
        }
        DataType::Time64(unit) => {
            let count = match unit {
                TimeUnit::Microsecond => of.as_primitive::<Time64MicrosecondType>().value(row),
                _ => of.as_primitive::<Time64NanosecondType>().value(row),
            };
            maybe(out, time(count, *unit));
        }
        DataType::Duration(unit) => match unit {
            TimeUnit::Second => digits::<DurationSecondType>(out, of, row),
            TimeUnit::Millisecond => digits::<DurationMillisecondType>(out, of, row),
            TimeUnit::Microsecond => digits::<DurationMicrosecondType>(out, of, row),
            TimeUnit::Nanosecond => digits::<DurationNanosecondType>(out, of, row),
        },
        DataType::Interval(IntervalUnit::YearMonth) => digits::<IntervalYearMonthType>(out, of, row),
        DataType::List(_) => list(out, &*of.as_list::<i32>().value(row), depth),
        DataType::LargeList(_) => list(out, &*of.as_list::<i64>().value(row), depth),
        DataType::FixedSizeList(..) => list(out, &*of.as_fixed_size_list().value(row), depth),
        DataType::ListView(_) => list(out, &*of.as_list_view::<i32>().value(row), depth),
        DataType::LargeListView(_) => list(out, &*of.as_list_view::<i64>().value(row), depth),
        DataType::Struct(fields) => {
            let columns = of.as_struct().columns();
            let mut before = b'{';
            for (field, column) in fields.iter().zip(columns) {
                out.push(before);
                before = b',';
                text(out, field.name());
                out.push(b':');
                value(out, &**column, row, depth + 1);
            }
            out.extend_from_slice(if before == b'{' { b"{}" } else { b"}" });
        }
        DataType::Map(..) => pairs(out, of, row, depth),
        DataType::Dictionary(..) => {
            let dictionary = of.as_any_dictionary();
            match key(dictionary.keys(), row) {
                Some(at) if at < dictionary.values().len() => {
                    value(out, &**dictionary.values(), at, depth + 1);
                }
                _ => null(out),
            }
        }
        DataType::RunEndEncoded(ends, _) => {
            let (at, values) = match ends.data_type() {
                DataType::Int16 => {
                    of.as_run_opt::<Int16Type>().map(|r| (r.get_physical_index(row), r.values()))
                }
                DataType::Int32 => {
                    of.as_run_opt::<Int32Type>().map(|r| (r.get_physical_index(row), r.values()))
                }
                _ => of.as_run_opt::<Int64Type>().map(|r| (r.get_physical_index(row), r.values())),
            }
            .unzip();
            match (at, values) {
                (Some(at), Some(values)) => value(out, &**values, at, depth + 1),
                _ => null(out),
            }
        }
        _ => null(out),
    }
}

fn digits<T: ArrowPrimitiveType>(out: &mut Vec<u8>, of: &dyn Array, row: usize)
where
    T::Native: std::fmt::Display,
{
    out.extend_from_slice(of.as_primitive::<T>().value(row).to_string().as_bytes());
}

fn decimal<T: DecimalType>(out: &mut Vec<u8>, of: &dyn Array, row: usize) {
    out.extend_from_slice(of.as_primitive::<T>().value_as_string(row).as_bytes());
}

/// Through its shortest decimal: 0.1 stays 0.1.
fn float(out: &mut Vec<u8>, value: f32) {
    match value.to_string().parse::<f64>() {
        Ok(value) if value.fract() != 0.0 => {
            let _ = serde_json::to_writer(out, &value);
        }
        _ => number(out, value.into()),
    }
}

fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    maybe(out, std::str::from_utf8(bytes).ok());
}

fn maybe(out: &mut Vec<u8>, value: Option<impl AsRef<str>>) {
    match value {
        Some(value) => text(out, value.as_ref()),
        None => null(out),
    }
}

fn list(out: &mut Vec<u8>, values: &dyn Array, depth: usize) {
    out.push(b'[');
    for at in 0..values.len() {
        if out.len() > FULL {
            break;
        }
        if at > 0 {
            out.push(b',');
        }
        value(out, values, at, depth + 1);
    }
    out.push(b']');
}

/// A map with texts as its keys is an object, any other a list of pairs.
fn pairs(out: &mut Vec<u8>, of: &dyn Array, row: usize, depth: usize) {
    let entries = of.as_map().value(row);
    let [keys, values] = entries.columns() else { return null(out) };
    let is_object = matches!(keys.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    out.push(if is_object { b'{' } else { b'[' });
    for at in 0..entries.len() {
        if at > 0 {
            out.push(b',');
        }
        if !is_object {
            out.push(b'[');
        }
        value(out, &**keys, at, depth + 1);
        out.push(if is_object { b':' } else { b',' });
        value(out, &**values, at, depth + 1);
        if !is_object {
            out.push(b']');
        }
    }
    out.push(if is_object { b'}' } else { b']' });
}

fn key(keys: &dyn Array, row: usize) -> Option<usize> {
    Some(match keys.data_type() {
        DataType::Int8 => usize::try_from(keys.as_primitive::<Int8Type>().value(row)).ok()?,
        DataType::Int16 => usize::try_from(keys.as_primitive::<Int16Type>().value(row)).ok()?,
        DataType::Int32 => usize::try_from(keys.as_primitive::<Int32Type>().value(row)).ok()?,
        DataType::Int64 => usize::try_from(keys.as_primitive::<Int64Type>().value(row)).ok()?,
        DataType::UInt8 => usize::from(keys.as_primitive::<UInt8Type>().value(row)),
        DataType::UInt16 => usize::from(keys.as_primitive::<UInt16Type>().value(row)),
        DataType::UInt32 => usize::try_from(keys.as_primitive::<UInt32Type>().value(row)).ok()?,
        DataType::UInt64 => usize::try_from(keys.as_primitive::<UInt64Type>().value(row)).ok()?,
        _ => return None,
    })
}

/// Since 1970. With a zone it is UTC; without, whatever the clock on the wall showed.
fn moment(count: i64, unit: TimeUnit, zoned: bool) -> Option<String> {
    let timestamp = match unit {
        TimeUnit::Second => Timestamp::from_second(count),
        TimeUnit::Millisecond => Timestamp::from_millisecond(count),
        TimeUnit::Microsecond => Timestamp::from_microsecond(count),
        TimeUnit::Nanosecond => Timestamp::from_nanosecond(count.into()),
    };
    let timestamp = timestamp.ok()?;
    if zoned {
        return Some(timestamp.to_string());
    }
    Some(timestamp.to_zoned(jiff::tz::TimeZone::UTC).datetime().to_string())
}

fn date(days: i64) -> Option<String> {
    let since = jiff::Span::new().try_days(days).ok()?;
    Date::constant(1970, 1, 1).checked_add(since).ok().map(|date| date.to_string())
}

fn time(count: i64, unit: TimeUnit) -> Option<String> {
    let per = match unit {
        TimeUnit::Second => Unit::Second,
        TimeUnit::Millisecond => Unit::Millisecond,
        TimeUnit::Microsecond => Unit::Microsecond,
        TimeUnit::Nanosecond => Unit::Nanosecond,
    };
    let span = match per {
        Unit::Second => jiff::Span::new().try_seconds(count),
        Unit::Millisecond => jiff::Span::new().try_milliseconds(count),
        Unit::Microsecond => jiff::Span::new().try_microseconds(count),
        _ => jiff::Span::new().try_nanoseconds(count),
    };
    Time::midnight().checked_add(span.ok()?).ok().map(|time| time.to_string())
}
