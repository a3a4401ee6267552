//! A long form that no test reads.

use crate::proofs;

#[test]
fn a_name_that_no_test_reads_is_named_with_its_line() {
    let of = |path: &str, text: &str| [(path.to_owned(), text.to_owned())];
    let code = of("tests/loop/flips.rs", "fn many() -> u32 { told(\"HARDCASE_PROOF_FLIPS\") }");
    let told = proofs::breaches(
        &of("Makefile", "LONG = HARDCASE_PROOF_FLIPS=9 \\\n\tHARDCASE_PROOF_FLIP=9 HARDCASE_PROOF_KILLS=1"),
        &code,
    );
    let told: Vec<String> = told.iter().map(ToString::to_string).collect();
    let (first, second) =
        ("Makefile:2: no test reads HARDCASE_PROOF_FLIP", "Makefile:2: no test reads HARDCASE_PROOF_KILLS");
    assert_eq!(told, [first, second]);
}
