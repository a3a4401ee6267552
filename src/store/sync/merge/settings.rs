//! What stored settings say of items and predictors, whose numbers are local to a file: suspects, examples, folds, a combination's judge.
//!
//! On the way out numbers become keys and UUIDs; on the way in they become the numbers of the other file, and what it does not know is
//! dropped.

use serde_json::Value;

/// How one reference is written in the other form; none drops it.
pub(super) type Translate<'a> = dyn FnMut(&Value) -> Option<Value> + 'a;

/// The settings with every reference translated; text that holds none comes back as it was.
pub(super) fn translated(settings: &str, item: &mut Translate<'_>, predictor: &mut Translate<'_>) -> String {
    let refers = ["\"suspects\"", "\"examples\"", "\"held_out\"", "\"judge\""]
        .iter()
        .any(|key| settings.contains(key));
    let Some(mut value) = refers.then(|| serde_json::from_str::<Value>(settings).ok()).flatten() else {
        return settings.to_owned();
    };
    if let Some(top) = value.as_object_mut() {
        if let Some(examples) = top.get_mut("examples").and_then(Value::as_array_mut) {
            keep(examples, |example| replace(example, item));
        }
        if let Some(judge) = top.get_mut("judge")
            && !judge.is_object()
        {
            *judge = predictor(judge).unwrap_or(Value::Null);
        }
    }
    walk(&mut value, item);
    value.to_string()
}

fn walk(value: &mut Value, item: &mut Translate<'_>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields.iter_mut() {
                match (name.as_str(), inner) {
                    ("suspects", Value::Array(all)) => {
                        keep(all, |suspect| suspect.get_mut("item").is_some_and(|id| replace(id, item)));
                    }
                    // Pairs of an item and what was said of it.
                    ("held_out" | "answers", Value::Array(all)) => keep(all, |pair| match pair {
                        Value::Array(pair) => pair.first_mut().is_some_and(|id| replace(id, item)),
                        other => {
                            walk(other, item);
                            true
                        }
                    }),
                    (_, inner) => walk(inner, item),
                }
            }
        }
        // Vectors are long, and hold no reference.
        Value::Array(all) => all.iter_mut().filter(|v| v.is_object()).for_each(|v| walk(v, item)),
        _ => {}
    }
}

fn replace(id: &mut Value, item: &mut Translate<'_>) -> bool {
    match item(id) {
        Some(other) => {
            *id = other;
            true
        }
        None => false,
    }
}

fn keep(all: &mut Vec<Value>, keeps: impl FnMut(&mut Value) -> bool) {
    all.retain_mut(keeps);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_is_translated_or_dropped_and_nothing_else_changes() {
        let settings = r#"{"c":10.0,"suspects":[{"item":3,"label":"a"},{"item":9,"label":"b"}],"examples":[9,3],
            "judge":4,"shares_from":{"Audit":{"held_out":[{"answers":[[3,0],[9,1]],"calibration":{"t":0.1}}]}},
            "held_out":[[3,[0.25,0.75]],[9,[1.0]]]}"#;
        let mut item = |id: &Value| (id == &Value::from(3)).then(|| Value::from("k3"));
        let mut predictor = |id: &Value| Some(Value::from(format!("p{id}")));
        let out = translated(settings, &mut item, &mut predictor);
        let want = r#"{"c":10.0,"suspects":[{"item":"k3","label":"a"}],"examples":["k3"],"judge":"p4","shares_from":{"Audit":{"held_out":[{"answers":[["k3",0]],"calibration":{"t":0.1}}]}},"held_out":[["k3",[0.25,0.75]]]}"#;
        assert_eq!(out, want);
        let plain = r#"{"anchors": [[0.1]]}"#;
        assert_eq!(translated(plain, &mut item, &mut predictor), plain);
        assert_eq!(translated("no \"judge\" JSON", &mut item, &mut predictor), "no \"judge\" JSON");
    }
}
