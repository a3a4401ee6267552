//! A project made in the form, changed in the screen and opened again by the same command, at a real pseudo-terminal.

use std::fs;

use super::project::{Project, hardcase};
use super::seat::{Seat, Setup};

/// Forty complaints and questions in latin-1, of which the first rows are plain ASCII.
fn letters() -> Vec<u8> {
    let mut file = "art;weg;text\n".to_owned();
    for n in 1..=40 {
        let (kind, text) = match n {
            1..=5 => ("Frage", format!("Wo finde ich Formular {n}, und wer nimmt es an?")),
            n if n % 2 == 0 => ("Beschwerde", format!("Die Gebühr für Vorgang {n} wurde doppelt abgebucht.")),
            n => ("Frage", format!("Können Sie mir Vorgang {n} erklären? Vielen Dank für Ihre Mühe.")),
        };
        file.push_str(&format!("{kind};Brief {n};{text}\n"));
    }
    file.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

/// Sits down at `hardcase pool.csv`.
fn sit(project: &Project) -> Seat {
    Seat::run(project, &["pool.csv"], Setup { size: (100, 30), ..Setup::default() }, &[])
}

/// What a build without models is given by one that has them; then the person sits down again and says who they are.
fn read_elsewhere(project: &Project, seat: Seat) -> Seat {
    seat.press("q");
    assert_eq!(seat.end().0, 0);
    project.enter_vectors();
    project.run("mine", &["--budget", "10"]).done();
    let seat = sit(project);
    seat.see("Your name, recorded with your labels [Grace]:");
    seat.press("\r");
    seat
}

fn names(project: &Project) -> Vec<String> {
    let folder = fs::read_dir(project.path("")).unwrap();
    folder
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("pool"))
        .collect()
}

#[test]
fn a_person_makes_a_project_labels_changes_the_task_and_comes_back_with_the_same_command() {
    let project = Project::none();
    project.write("pool.csv", letters());
    let seat = sit(&project);
    let screen = seat.see("40 texts, every row can be read");
    assert!(
        screen.contains("windows-1252  (detected)") && screen.contains("Wo finde ich Formular 1"),
        "{screen}"
    );
    seat.press("\r\x7f\x7f\x7fGrace\r");
    seat.see("Grace");

    // A mistake: the wrong column is a part of the text, and is taken back.
    seat.press("\t");
    seat.see("Which column holds the texts");
    seat.press("\x1b[Bt");
    seat.see("weg: Brief 1");
    seat.press("u");
    seat.see_that("the column left out again", |s| !s.contains("weg: Brief 1"));
    seat.press("\x1b[Ab");
    seat.see("art: Frage");
    seat.press("l");
    seat.see("The labels are the 2 values");

    seat.press("\t");
    seat.see("What do you want to know");
    seat.press("\rIst das eine Beschwerde?\r");
    seat.see("Ist das eine Beschwerde?");
    seat.press("\t");
    let screen = seat.see("Which answers can be given?");
    assert!(screen.contains("Frage") && screen.contains("Beschwerde"), "{screen}");
    // Another mistake: a key that the workstation needs. Then a step back to the question, and forward again.
    seat.press("\x1b[C\r\x7fu\r");
    seat.see("The workstation uses the key u itself");
    seat.press("\x1b");
    seat.see_that("the cell as it was", |s| !s.contains("itself"));
    seat.press("\x1b");
    seat.see("What do you want to know");
    seat.press("\x1b");
    assert!(seat.see("Which column holds the texts").contains("they test the model"));
    seat.press("5");
    seat.see("Create the project");
    assert_eq!(names(&project), ["pool.csv"], "nothing is made before it is confirmed");
    seat.press("\r");

    seat.see("Progress");
    let seat = if cfg!(feature = "engine") { seat } else { read_elsewhere(&project, seat) };
    let first = seat.answer('1');
    assert_ne!(first, seat.answer('2'));
    // A label more, and another name for one that has answers.
    seat.press("\x05");
    seat.see("enter change the task");
    seat.press("\r");
    seat.see("Change the task");
    seat.press("2aunklar\r");
    seat.see("unklar");
    seat.press("\x1b[A\x1b[A\x1b[A\x1b[A\r");
    seat.press("n an uns\r");
    seat.see("n an uns");
    seat.press("3");
    let screen = seat.see("'unklar' is new.");
    assert!(screen.contains("keeps its 1 answer") && screen.contains("Save as a new version"), "{screen}");
    seat.press("\r");
    seat.see("The task is changed: version 2.");
    // Results: how much and how good is said before anything is written, and a file that is there is asked about.
    seat.press(":results\r");
    seat.see("one label for each text");
    seat.press("2");
    let screen = seat.see("2 rows.");
    assert!(screen.contains("every answer, with who gave it"), "{screen}");
    seat.see("2 answers by 1 person; how far people agree is not known yet");
    assert!(!project.path("pool.labels.csv").exists(), "nothing is written before enter");
    seat.press("\r");
    seat.see("2 rows written to");
    let written = fs::read_to_string(project.path("pool.labels.csv")).unwrap();
    assert_eq!(written.lines().count(), 3, "{written}");
    assert!(written.starts_with('\u{feff}'), "a spreadsheet is told that it is UTF-8");
    project.write("pool.labels.csv", "mine");
    seat.press(":results\r2");
    seat.see("2 rows.");
    seat.press("\r");
    seat.see("This file exists");
    seat.press("\x1b");
    seat.see_that("the question which results", |s| !s.contains("This file exists") && s.contains("Format"));
    assert_eq!(fs::read_to_string(project.path("pool.labels.csv")).unwrap(), "mine");
    // Another format, and a place of the person's own; then the first file after all.
    let other = project.path("mine.jsonl");
    seat.press("\t\x1b[C\t\x15");
    seat.see("jsonl");
    seat.press(other.to_str().unwrap());
    seat.press("\r");
    seat.see("2 rows written to");
    assert_eq!(fs::read_to_string(&other).unwrap().lines().filter(|line| line.starts_with('{')).count(), 2);
    seat.press(":results\r2");
    seat.see("2 rows.");
    seat.press("\r");
    seat.see("This file exists");
    seat.press("r");
    seat.see("2 rows written to");
    assert_eq!(fs::read_to_string(project.path("pool.labels.csv")).unwrap(), written);
    seat.press("q");
    let (code, _) = seat.end();
    assert_eq!(code, 0);

    let experts = project.json("expert", &["list"]);
    assert_eq!((&experts[0]["name"], &experts[0]["role"]), (&"Grace".into(), &"lead".into()), "{experts}");
    assert_eq!(experts.as_array().unwrap().len(), 1, "the login is nobody: {experts}");
    let names_of = |task: &serde_json::Value| -> Vec<String> {
        let labels = task[1]["task"]["label"].as_array().unwrap();
        labels.iter().map(|label| label["name"].as_str().unwrap().to_owned()).collect()
    };
    let labels = names_of(&project.json("task", &["--show"]));
    assert!(labels.len() == 3 && labels.iter().any(|name| name.ends_with("n an uns")), "{labels:?}");
    let exported = project.run("export", &["--what", "labels"]).json_lines();
    assert_eq!(exported.len(), 2);
    project.is_whole();

    // The next day: the same command opens the project, for the same person.
    let again = sit(&project);
    let screen = again.see("by you");
    assert!(screen.contains("Grace") && screen.contains("unklar"), "{screen}");
    again.press("q");
    assert_eq!(again.end().0, 0);
}

#[test]
fn what_was_typed_outlives_leaving_and_a_creation_that_fails_leaves_nothing() {
    let project = Project::none();
    project.write("pool.csv", letters());
    let seat = sit(&project);
    seat.see("40 texts");
    seat.press("3\rIst das eine Beschwerde?\r");
    seat.see("Ist das");
    seat.press("4aja\r");
    seat.see("ja");
    seat.press("anein\r");
    seat.see("nein");
    seat.press("q");
    seat.see("Leave? Your answers are kept");
    seat.press("y");
    let (code, left) = seat.end();
    assert!(code == 0 && left.contains("Nothing was made yet. Your answers are kept"), "{left}");
    assert_eq!(names(&project), ["pool.csv"]);

    let seat = sit(&project);
    seat.see("it goes on where you left it");
    seat.press("5");
    let screen = seat.see("Create the project");
    assert!(screen.contains("Ist das eine Beschwerde?") && screen.contains("1 ja, 2 nein"), "{screen}");
    // Somebody else takes the name meanwhile.
    let taken = project.write("pool.hardcase", "somebody's own");
    seat.press("\r");
    seat.see("it exists already");
    seat.press("q");
    seat.see("Leave? Your answers are kept");
    seat.press("y");
    assert_eq!(seat.end().0, 0);
    assert_eq!(fs::read_to_string(taken).unwrap(), "somebody's own");
    let left: Vec<_> = fs::read_dir(project.path("")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("hardcase-new")), "{left:?}");
    assert_ne!(hardcase([project.path("pool.csv")]).code, Some(0));
}
