//! What a build without models does otherwise: it has no verb that needs one, says so, and goes the rest of the way.

use super::project::{Project, hardcase};

#[test]
fn verbs_that_need_a_model_are_neither_known_nor_offered() {
    let help = hardcase(["help"]).done().out;
    assert!(help.contains("\n  mine "), "{help}");
    for verb in ["demo", "models", "predict", "simulate"] {
        assert!(!help.contains(&format!("\n  {verb} ")), "{verb} is offered in\n{help}");
        let ran = hardcase([verb]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{}", ran.err);
        assert!(ran.err.contains(&format!("unrecognized subcommand '{verb}'")), "{}", ran.err);
    }
}

#[test]
fn the_doctor_says_that_there_are_no_models() {
    let project = Project::empty();
    let said = project.run("doctor", &[]).done().out;
    assert!(said.contains("models"), "{said}");
}

#[test]
fn a_pool_is_mined_labelled_tuned_and_exported_and_only_a_head_can_be_trained() {
    let project = Project::with_ads(60);
    project.enter_vectors();
    project.run("mine", &["--budget", "30"]).done();
    let gold = project.gold();
    assert_eq!(project.answer_all(|item| gold[&item].clone()), 30);
    for kind in ["lora", "alora"] {
        let ran = project.run("tune", &["--adapter", kind]);
        assert_eq!(ran.code, Some(2), "{}{}", ran.out, ran.err);
        assert!(ran.err.contains("head"), "{}", ran.err);
    }
    project.run("tune", &[]).done();
    let out = project.path("out");
    let out = out.to_str().unwrap();
    project.run("adapter", &["export", "--what", "peft", "-o", out]).refused(2, &["it is a head on vectors"]);
    let written = project.json("adapter", &["export", "-o", out]);
    assert_eq!(written["files"].as_array().unwrap().len(), 1, "{written}");
    let labels = project.run("export", &["--what", "labels"]).json_lines();
    assert_eq!(labels.len(), 30);
    project.is_whole();
}
