//! Of what a server said, the words that are sure to be no secret: those that servers use in refusals, and a few short numbers.
//!
//! A key can be echoed in more ways than anybody can list (turned, compressed, in any base, in pieces). What is kept is therefore a list of what a
//! refusal needs, and not what is left once known echoes are taken out.

/// Stands for words that are not kept.
const LEFT_OUT: &str = "…";
/// So many numbers are kept at most: more of them can spell a key.
const NUMBERS: usize = 2;
/// The longest number that is kept, in digits.
const DIGITS: usize = 6;

const WORDS: &str = "a about above access account action active actual add again all allowed already also an and another any api are argument as asked \
    at authenticated authentication authorization available back bad batch be bearer been before below beyond body busy but by cache called can \
    cannot capacity cause chat choose closed code column completion completions configured connect connection contact content context could \
    create credentials credit credits current daily data day default deleted denied deprecated did disabled disk does down due each either \
    empty enabled endpoint endpoints engine error errors exceed exceeded exceeds exist existing exists expected expired failed failure few field \
    file find first for forbidden format found free from full function gateway generate generated given gone got gpu greater had has have header \
    headers hour however http if in inactive incorrect inference input inside insufficient integer internal invalid is isn it its json key \
    keys large larger last later least length less license like limit limited limits line list load loaded loading local logged login \
    logprobs long longer lost low machine made many max maximum may maybe memory message messages method minimum minute minutes missing model \
    models month monthly more most must name named need needed needs new no none not nothing null number object of off on once one only \
    open operation option or org organization other out over overloaded own parameter parameters parse path pay payload payment pending per \
    permission permissions permitted please plan policy port position positive prompt property provide provided quota range rate reached read \
    ready reason receive received refused regenerate region rejected remote remove removed request requested requests require required \
    requires reset resource response retry revoked route role row running same saved say scope second seconds see send sent server servers \
    service session set should shut side size slow small smaller so some something soon sorry started starting status stop stopped stream string \
    such supplied support supported supports suspended system take team temporarily temporary text than that the their them then there these \
    they this those time timed timeout to token tokenizer tokens too top total try type unable unauthorized unavailable unexpected unknown \
    unprocessable unsupported until up upgrade upstream url usage use used user using valid value values version view wait warning was way \
    we were when where which while will with within without worker wrong yet you your";

/// What of a text is kept; each run of anything else becomes `…`.
pub fn harmless_words(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut numbers = 0;
    for word in text.split_whitespace() {
        let bare = word.trim_matches(|c: char| ".,:;!?()[]'\"".contains(c));
        let is_number = !bare.is_empty() && bare.len() <= DIGITS && bare.bytes().all(|b| b.is_ascii_digit());
        numbers += usize::from(is_number);
        // What stands around a word is kept where it is a single sign: a row of signs can spell something, too.
        let sign = word.len() <= bare.len() + 2;
        if sign && (is_number && numbers <= NUMBERS || is_known(bare)) {
            kept.push(word);
        } else if kept.last() != Some(&LEFT_OUT) {
            kept.push(LEFT_OUT);
        }
    }
    kept.join(" ")
}

/// Whether a word is in the list: as it is, with a capital, or with an end such as in `model's` and `isn't`.
fn is_known(word: &str) -> bool {
    let stem = word.strip_suffix("'s").or_else(|| word.strip_suffix("'t")).unwrap_or(word);
    let plain = stem.get(1..).is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_lowercase()))
        || ["API", "HTTP", "URL", "GPU", "JSON"].contains(&stem);
    plain && WORDS.split_whitespace().any(|known| known.eq_ignore_ascii_case(stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_refusal_needs_is_kept() {
        for words in [
            "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
            "no such model",
            "out of memory",
            "Loading model",
            "Rate limit reached, please try again in 20 seconds",
            "4 tokens too many",
            "You exceeded your current quota, please see your plan.",
        ] {
            assert_eq!(harmless_words(words), words);
        }
        assert_eq!(
            harmless_words(
                "Incorrect API key provided: sk-Vq7mW2x. You can find yours at https://x.example/keys."
            ),
            "Incorrect API key provided: … You can find … at …"
        );
        assert_eq!(harmless_words(""), "");
    }

    #[test]
    fn no_way_to_write_a_key_is_kept() {
        const KEY: &str = "sk-Vq7mW2xZt0Jr9Ld4Hn";
        let bytes = KEY.as_bytes();
        let each = |f: &dyn Fn(u8) -> String| bytes.iter().map(|b| f(*b)).collect::<Vec<_>>();
        let turned = |b: u8| match b {
            b'a'..=b'z' => char::from((b - b'a' + 13) % 26 + b'a'),
            b'A'..=b'Z' => char::from((b - b'A' + 13) % 26 + b'A'),
            _ => char::from(b),
        };
        let pieces = |n: usize| {
            bytes.chunks(n).map(|part| String::from_utf8_lossy(part).into_owned()).collect::<Vec<_>>()
        };
        let decimal = bytes.iter().fold(0_u128, |sum, b| sum.wrapping_mul(256) + u128::from(*b)).to_string();
        let echoes = [
            bytes.iter().map(|b| turned(*b)).collect::<String>(),
            "ONVS2VTROFZTO3KXGJ4FU5BQJJZDSTDEGREG4".into(),
            "F(8a^9MAR@;[j#&<+oqU1.PJb3&!0".into(),
            "3mJr7AoUXx2Wqd4dBkz8pVtN9".into(),
            "6<VLM5G$W;5<R>%IT,$IR.4QD-$AN".into(),
            "eJwrztYNK7fPDTcqd4gqMfAqsvRJMfHIAwBKzAcB".into(),
            each(&|b| format!("{b:02x}00")).concat(),
            each(&|b| format!("0x{b:02x}")).join(" "),
            each(&|b| format!("U+{b:04X}")).join(" "),
            each(&|b| format!("&amp;amp;#{b};")).concat(),
            each(&|b| b.to_string()).join(" "),
            each(&|b| char::from(b).to_string()).join(" "),
            pieces(4).join(" the key "),
            pieces(3).join(" - "),
            pieces(1).join(" and "),
            decimal,
            KEY[..5].into(),
        ];
        for echo in echoes {
            let kept = harmless_words(&format!("invalid key: {echo} given"));
            let rest = kept.replace(['…', '-'], " ");
            let mut left: Vec<&str> = rest
                .split_whitespace()
                .filter(|word| !["invalid", "key:", "given", "the", "key", "and"].contains(word))
                .collect();
            left.retain(|word| !word.bytes().all(|b| b.is_ascii_digit()));
            assert!(left.is_empty(), "{echo}: {kept}");
            assert!(kept.matches(char::is_numeric).count() <= NUMBERS * 3, "{echo}: {kept}");
        }
    }
}
