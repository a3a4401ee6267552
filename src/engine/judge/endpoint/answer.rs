//! Parses a server's answers tolerantly: the likeliest tokens come in one of two forms, the reasons for a refusal in several.

use serde_json::Value;

/// Longest reason from a server that is read, in characters. Of it at most 200 are kept, once the key is taken out.
const LONGEST_REASON: usize = 3_000;

/// How far above zero a server's rounding may bring a log-probability, and how far above 1 the probabilities of different tokens together.
const ROUNDED: f64 = 1e-3;
const SUM_ROUNDED: f64 = 0.02;

/// A token that a server lists, and its probability.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Listed {
    pub text: String,
    pub p: f64,
}

/// Why an answer cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Useless {
    /// It does not have the expected form.
    Strange,
    /// It has no log-probabilities.
    WithoutProbabilities,
    /// What it calls log-probabilities are none.
    NotProbabilities,
}

/// A model in a server's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Served {
    pub name: String,
    /// Its context length in tokens, if the server states it.
    pub context: Option<usize>,
}

/// The likeliest first tokens of an answer. The list is empty if the model would end the text at once.
pub(super) fn listed(body: &[u8]) -> Result<Vec<Listed>, Useless> {
    let answer: Value = serde_json::from_slice(body).map_err(|_| Useless::Strange)?;
    let choice = answer.get("choices").and_then(|choices| choices.get(0)).ok_or(Useless::Strange)?;
    let logprobs = choice.get("logprobs").ok_or(Useless::WithoutProbabilities)?;
    // llama.cpp's server uses the chat form for both interfaces; others use a map from token to log-probability for completions.
    let tokens: Vec<(&str, &Value)> = if let Some(tokens) = logprobs.get("content").and_then(Value::as_array)
    {
        let Some(first) = tokens.first() else { return Ok(Vec::new()) };
        let top = first.get("top_logprobs").and_then(Value::as_array);
        let top = top.ok_or(Useless::WithoutProbabilities)?;
        top.iter().filter_map(|one| Some((one.get("token")?.as_str()?, one.get("logprob")?))).collect()
    } else {
        let tokens = logprobs.get("top_logprobs").and_then(Value::as_array);
        let Some(first) = tokens.ok_or(Useless::WithoutProbabilities)?.first() else { return Ok(Vec::new()) };
        let top = first.as_object().ok_or(Useless::WithoutProbabilities)?;
        top.iter().map(|(token, log)| (token.as_str(), log)).collect()
    };
    let read = |(token, log): (&str, &Value)| {
        let p = log.as_f64().filter(|log| log.is_finite())?.min(0.0).exp();
        Some(Listed { text: token.to_owned(), p })
    };
    // More than rounding: scores of another kind would make a probability of 1 for each of several tokens.
    let above = |log: &Value| log.as_f64().is_some_and(|log| log > ROUNDED);
    if tokens.iter().any(|(_, log)| above(log)) {
        return Err(Useless::NotProbabilities);
    }
    let listed: Vec<Listed> = tokens.into_iter().filter_map(read).collect();
    if listed.iter().map(|token| token.p).sum::<f64>() > 1.0 + SUM_ROUNDED {
        return Err(Useless::NotProbabilities);
    }
    if listed.is_empty() { Err(Useless::WithoutProbabilities) } else { Ok(listed) }
}

/// The models that a server lists. `None` if the answer is not such a list.
pub(super) fn models(body: &[u8]) -> Option<Vec<Served>> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let models = answer.get("data")?.as_array()?;
    let of = |model: &Value| {
        // vLLM's name, then llama.cpp's for the limit of one text.
        let context = model.get("max_model_len").or_else(|| model.get("meta")?.get("n_ctx"));
        Some(Served {
            name: model.get("id")?.as_str()?.to_owned(),
            context: context.and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0),
        })
    };
    Some(models.iter().filter_map(of).collect())
}

/// Why a server refuses, in its own words, on one line.
pub(super) fn reason(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let error = answer.get("error").unwrap_or(&answer);
    let words = [error.get("message"), error.get("detail"), Some(error)];
    let words = words.into_iter().flatten().find_map(|said| {
        said.as_str().or_else(|| said.get(0)?.get("msg")?.as_str()).filter(|said| !said.trim().is_empty())
    })?;
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    match line.char_indices().nth(LONGEST_REASON) {
        Some((at, _)) => Some(format!("{}…", &line[..at])),
        None => Some(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(body: &str) -> Vec<(String, f64)> {
        listed(body.as_bytes()).unwrap().into_iter().map(|t| (t.text, (t.p * 1e4).round() / 1e4)).collect()
    }

    #[test]
    fn both_forms_of_the_likeliest_tokens_are_read() {
        let map = r#"{"choices":[{"text":" spam","logprobs":{"tokens":[" spam"],"token_logprobs":[-0.1],
            "top_logprobs":[{" spam":-0.6931471805599453," ham":-1.3862943611198906,"x":null}]}}]}"#;
        assert_eq!(pairs(map), [(" spam".to_owned(), 0.5), (" ham".to_owned(), 0.25)]);
        let list = r#"{"choices":[{"logprobs":{"content":[{"token":" a","logprob":-0.7,"top_logprobs":[
            {"id":1,"token":" a","bytes":[32,97],"logprob":0.0001},{"token":" b","logprob":-1.7e308}]}]}}]}"#;
        assert_eq!(pairs(list), [(" a".to_owned(), 1.0), (" b".to_owned(), 0.0)]);
        for at_its_end in [
            r#"{"choices":[{"logprobs":{"content":[]}}]}"#,
            r#"{"choices":[{"logprobs":{"top_logprobs":[],"tokens":[]}}]}"#,
        ] {
            assert_eq!(pairs(at_its_end), []);
        }
    }

    #[test]
    fn scores_that_are_no_log_probabilities_are_refused() {
        let of = |logs: &[f64]| {
            let top: serde_json::Map<String, Value> =
                logs.iter().enumerate().map(|(i, log)| (format!("t{i}"), (*log).into())).collect();
            listed(
                serde_json::json!({ "choices": [{ "logprobs": { "top_logprobs": [top] } }] })
                    .to_string()
                    .as_bytes(),
            )
        };
        for wrong in [&[5.0, 3.0][..], &[0.01], &[-0.1, -0.1], &[0.0, 0.0], &[1e308, -1.0]] {
            assert_eq!(of(wrong), Err(Useless::NotProbabilities), "{wrong:?}");
        }
        for right in [&[0.0][..], &[0.0009, -9.0], &[-0.69, -0.69], &[-1e9, -2e9]] {
            assert!(of(right).is_ok(), "{right:?}");
        }
    }

    #[test]
    fn a_malformed_answer_is_told_from_one_without_probabilities() {
        for strange in ["", "{", "[]", "<html>", r#"{"choices":[]}"#, r#"{"choices":{}}"#] {
            assert_eq!(listed(strange.as_bytes()), Err(Useless::Strange), "{strange}");
        }
        for without in [
            r#"{"choices":[{"text":" spam"}]}"#,
            r#"{"choices":[{"text":" spam","logprobs":null}]}"#,
            r#"{"choices":[{"logprobs":{"top_logprobs":null}}]}"#,
            r#"{"choices":[{"logprobs":{"top_logprobs":[null]}}]}"#,
            r#"{"choices":[{"logprobs":{"content":[{"token":"a","logprob":-1}]}}]}"#,
            r#"{"choices":[{"logprobs":{"content":[{"top_logprobs":[]}]}}]}"#,
        ] {
            assert_eq!(listed(without.as_bytes()), Err(Useless::WithoutProbabilities), "{without}");
        }
    }

    #[test]
    fn models_and_reasons_are_found_where_servers_put_them() {
        let models = models(
            br#"{"data":[{"id":"a","max_model_len":4096},{"id":"b","meta":{"n_ctx":512}},{"id":"c"},{}]}"#,
        );
        let known: Vec<_> = models.unwrap().into_iter().map(|m| (m.name, m.context)).collect();
        assert_eq!(known, [("a".into(), Some(4_096)), ("b".into(), Some(512)), ("c".into(), None)]);
        assert_eq!(super::models(b"{}"), None);
        for (body, expected) in [
            (r#"{"error":{"message":"too\n long\u0007"}}"#, Some("too long")),
            (r#"{"error":"no such model"}"#, Some("no such model")),
            (r#"{"message":"no"}"#, Some("no")),
            (r#"{"detail":[{"loc":["body"],"msg":"less than 5"}]}"#, Some("less than 5")),
            (r#"{"detail":"Not Found"}"#, Some("Not Found")),
            ("<html>", None),
            ("{}", None),
        ] {
            assert_eq!(reason(body.as_bytes()).as_deref(), expected, "{body}");
        }
        let long = format!(r#"{{"error":"{}"}}"#, "\u{e4}".repeat(5_000));
        assert_eq!(reason(long.as_bytes()).unwrap().chars().count(), LONGEST_REASON + 1);
    }
}
