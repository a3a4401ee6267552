//! Language models that are damaged or made to do harm: the job ends with a sentence, and the project stays as it was.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::judge::model;
use super::project::{Project, Ran};

/// Damaged copies that are tried of each kind.
const OF_EACH: usize = 12;
/// What a size, a number or an offset of a header becomes.
const ABSURD: [u64; 6] = [0, 1, 1 << 31, 1 << 40, u64::MAX, i64::MAX as u64];

/// Refused in a sentence, or read after all; anything else is a defect.
fn is_told(ran: &Ran, what: &str) -> bool {
    let refused = ran.code == Some(1) && ran.err.contains("hardcase: cannot ");
    let crashed = ["panicked", "stack backtrace", "core dumped"].iter().any(|sign| ran.err.contains(sign));
    assert!(!crashed && (refused || ran.code == Some(0)), "{what}: {:?} {}", ran.code, ran.err);
    refused
}

/// Where the header ends and the numbers of the tensors begin.
fn end_of_header(bytes: &[u8]) -> usize {
    let header = hardcase::engine::gguf::read_header(bytes, bytes.len() as u64).unwrap();
    usize::try_from(header.data_offset).unwrap()
}

#[test]
fn a_damaged_or_hostile_model_ends_its_job_with_a_sentence_and_the_project_stays_as_it_was() {
    let Some(model) = model("tinystories-656k-f32.gguf") else { return };
    let project = Project::with_ads(40);
    project.run("scout", &[]).done();
    let before = project.run("export", &["--what", "predictions"]).done().out;
    let whole = std::fs::read(&model).unwrap();
    let header = end_of_header(&whole);
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut refused = 0;
    let mut tried = |what: String, bytes: Vec<u8>| {
        let odd = project.write("odd.gguf", bytes);
        let arguments = ["--model", odd.to_str().unwrap(), "--limit", "2", "--threads", "1"];
        refused += usize::from(is_told(&project.run("judge", &arguments), &what));
    };
    for _ in 0..OF_EACH {
        let at = rng.gen_range(0..whole.len());
        tried(format!("cut off at {at}"), whole[..at].to_vec());
        // Of the names and sizes of tensors, which come last, as often as of all the words before them.
        for from in [0, header.saturating_sub(3_000)] {
            let (mut bytes, at) = (whole.clone(), rng.gen_range(from..header - 8));
            let absurd = ABSURD[rng.gen_range(0..ABSURD.len())];
            bytes[at..at + 8].copy_from_slice(&absurd.to_le_bytes());
            tried(format!("{absurd} at {at}"), bytes);
        }
        let mut bytes = whole.clone();
        for _ in 0..16 {
            let at = rng.gen_range(4..header);
            bytes[at] = rng.r#gen();
        }
        tried("16 bytes of the header".into(), bytes);
    }
    assert!(refused > OF_EACH, "what is damaged is mostly refused: {refused}");
    // NaN weights give no probabilities.
    let mut bytes = whole.clone();
    for number in bytes[header..].chunks_exact_mut(4) {
        number.copy_from_slice(&f32::NAN.to_le_bytes());
    }
    let odd = project.write("odd.gguf", bytes);
    let ran = project.run("judge", &["--model", odd.to_str().unwrap(), "--limit", "2", "--threads", "1"]);
    ran.refused(1, &["not finite numbers"]);
    // Nothing that was kept of any of them counts.
    assert_eq!(project.run("export", &["--what", "predictions"]).done().out, before);
    assert_eq!(project.json("doctor", &[]).to_string().matches("\"bad\"").count(), 0);
}
