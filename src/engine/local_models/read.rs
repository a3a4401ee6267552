//! What a model file is and what it can do here, from its header alone. The checks are those with which files are loaded and trained.

use std::fs;
use std::path::Path;

use super::files::Found;
use crate::domain::fault::{Fault, Result};
use crate::domain::grouped::counted;
use crate::domain::local_model::{Ability, LocalModel};
use crate::engine::gguf::Header;
use crate::engine::model_file::{ModelFacts, facts_of, header_of};
use crate::engine::transformer::{Role, Weights};

/// Why a file that was found is not in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// It goes with a model and is none: a projector of images, an adapter, a table for quantising.
    Companion,
    /// A program keeps it among its models, and it is not GGUF.
    OtherFormat,
}

/// Reads the header of a file, and of the other parts if there are some.
///
/// A file that cannot be used is a model that can do nothing, with the reason.
pub(super) fn read(found: &Found) -> std::result::Result<LocalModel, LeftOut> {
    let Some(first) = found.parts.first() else { return Err(LeftOut::OtherFormat) };
    if found.has_no_ending() && !begins_as_gguf(first) {
        return Err(LeftOut::OtherFormat);
    }
    let mut model = LocalModel {
        name: found.name.clone(),
        also: found.also.clone(),
        kept_by: found.keeper.map(|keeper| keeper.name().to_owned()),
        path: first.clone(),
        files: found.parts.len(),
        bytes: found.parts.iter().filter_map(|part| Some(fs::metadata(part).ok()?.len())).sum(),
        architecture: None,
        quantisation: None,
        parameters: None,
        context: None,
        can: Vec::new(),
        note: None,
        texts_per_second: None,
    };
    match whole(found) {
        Ok(header) if is_companion(&header) => return Err(LeftOut::Companion),
        Ok(header) => match facts_of(&header, model.bytes, first) {
            Ok(facts) => describe(&mut model, &header, facts),
            Err(fault) => model.note = Some(fault.why().to_owned()),
        },
        Err(fault) => model.note = Some(fault.why().to_owned()),
    }
    Ok(model)
}

/// The header of the first part, with the tensors of all.
fn whole(found: &Found) -> Result<Header> {
    if found.missing > 0 {
        let all = counted(found.parts.len() + found.missing, "part", "parts");
        return Err(Fault::new("read the model", format!("{} of its {all} are not there", found.missing)));
    }
    let mut headers = found.parts.iter().map(|part| header_of(part).map(|(header, _)| header));
    let first = headers.next().unwrap_or_else(|| Err(Fault::new("read the model", "it has no file")));
    headers.try_fold(first?, |mut all, part| {
        all.tensors.extend(part?.tensors);
        Ok(all)
    })
}

/// Before the format's first letters have been seen, a file without a name of its own can be anything.
fn begins_as_gguf(path: &Path) -> bool {
    use std::io::Read as _;
    let mut letters = [0; 4];
    match fs::File::open(path).and_then(|mut file| file.read_exact(&mut letters)) {
        Ok(()) => letters == *b"GGUF",
        // That it cannot be read at all is worth saying.
        Err(error) => error.kind() != std::io::ErrorKind::UnexpectedEof,
    }
}

fn is_companion(header: &Header) -> bool {
    header.str("general.type").is_some_and(|kind| kind != "model")
        || header.str("general.architecture") == Some("clip")
}

fn describe(model: &mut LocalModel, header: &Header, facts: ModelFacts) {
    let (scouts, judges) = (facts.require_encoder(), facts.require_language_model());
    let role = if scouts.is_ok() { Role::Encoder } else { Role::LanguageModel };
    model.can.extend(scouts.is_ok().then_some(Ability::Scout));
    model.can.extend(judges.is_ok().then_some(Ability::Judge));
    let trained = match (model.can.is_empty(), model.files) {
        (true, _) => Err(scouts.err().map_or_else(String::new, |fault| fault.why().to_owned())),
        (false, 1) => Weights::check(header, role, facts.pooling)
            .map_err(|refusal| format!("it cannot be trained here: {refusal}")),
        (false, _) => Err("it cannot be trained here: it is in parts".to_owned()),
    };
    match trained {
        Ok(()) => model.can.push(Ability::Tune),
        Err(why) => model.note = Some(why),
    }
    model.architecture = Some(facts.architecture);
    model.quantisation = Some(facts.quantisation);
    model.parameters = Some(facts.parameters);
    model.context = Some(facts.context);
}
