//! Paths, words and strings in token streams: what macros are given and made of, which no syntax tree shows.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use syn::ext::IdentExt;

use crate::tree::Written;

/// A path and the line it begins on.
pub struct Found {
    pub line: usize,
    pub path: Written,
}

/// Every path of two segments or more, at any depth, groups in braces taken apart; of one segment after `use`.
pub fn paths(stream: &TokenStream) -> Vec<Found> {
    let mut found = Vec::new();
    collect(stream, &mut found);
    found
}

/// Every identifier, at any depth, with its line.
pub fn idents(stream: &TokenStream) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    walk(stream, &mut |token| {
        if let TokenTree::Ident(ident) = token {
            found.push((ident.to_string(), ident.span().start().line));
        }
    });
    found
}

/// Every string literal, at any depth, with its line.
pub fn strings(stream: &TokenStream) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    walk(stream, &mut |token| {
        if let TokenTree::Literal(literal) = token
            && let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string())
        {
            found.push((text.value(), literal.span().start().line));
        }
    });
    found
}

/// Every string literal that one of the standard print macros is given, with its line.
pub fn printed(stream: &TokenStream) -> Vec<(String, usize)> {
    const MACROS: [&str; 4] = ["print", "println", "eprint", "eprintln"];
    let tokens: Vec<TokenTree> = stream.clone().into_iter().collect();
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let named = at.checked_sub(2).and_then(|name| tokens.get(name));
        if is_punct(at.checked_sub(1).and_then(|bang| tokens.get(bang)), '!')
            && MACROS.iter().any(|name| is_word(named, name))
        {
            found.extend(strings(&group.stream()));
        } else {
            found.extend(printed(&group.stream()));
        }
    }
    found
}

fn walk(stream: &TokenStream, visit: &mut impl FnMut(&TokenTree)) {
    for token in stream.clone() {
        visit(&token);
        if let TokenTree::Group(group) = &token {
            walk(&group.stream(), visit);
        }
    }
}

fn is_punct(token: Option<&TokenTree>, character: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

fn is_word(token: Option<&TokenTree>, word: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == word)
}

/// Whether `::` stands at this place.
fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    let joint =
        |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.spacing() == Spacing::Joint);
    let (first, second) = (tokens.get(at), tokens.get(at + 1));
    is_punct(first, ':') && first.is_some_and(joint) && is_punct(second, ':')
}

fn collect(stream: &TokenStream, found: &mut Vec<Found>) {
    let tokens: Vec<TokenTree> = stream.clone().into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            // `pub(in path)` is no import.
            TokenTree::Ident(ident) if ident == "pub" => {
                let scope = matches!(tokens.get(at + 1), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis);
                at += if scope { 2 } else { 1 };
            }
            TokenTree::Ident(_) => at = path_at(&tokens, at, found),
            TokenTree::Group(group) => {
                collect(&group.stream(), found);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// Reads the path that begins at this identifier and returns the place behind it.
fn path_at(tokens: &[TokenTree], at: usize, found: &mut Vec<Found>) -> usize {
    let before = |steps: usize| at.checked_sub(steps).and_then(|place| tokens.get(place));
    let absolute = at >= 2 && is_colons(tokens, at - 2);
    // The tail of `<T>::name`, and `$name::…`, begin with what is not known here; `$crate` is known.
    let unknown =
        absolute && is_punct(before(3), '>') || is_punct(before(1), '$') && !is_word(tokens.get(at), "crate");
    let used = is_word(before(if absolute { 3 } else { 1 }), "use");
    let mut all = Vec::new();
    let start = Written { absolute, segments: Vec::new() };
    let end = extend(tokens, at, start, &mut all);
    if !unknown {
        found.extend(all.into_iter().filter(|found| used || found.path.segments.len() > 1));
    }
    end
}

/// Reads on from a path so far: segments, then a group or a star. Returns the place behind.
fn extend(tokens: &[TokenTree], mut at: usize, mut path: Written, found: &mut Vec<Found>) -> usize {
    let line = tokens[at].span().start().line;
    loop {
        match &tokens[at] {
            // `{self}` names the path before it.
            TokenTree::Ident(ident) if ident == "self" && !path.segments.is_empty() => {}
            TokenTree::Ident(ident) => path.segments.push(ident.unraw().to_string()),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                group_of(group, &path, found);
                return at + 1;
            }
            TokenTree::Punct(punct) if punct.as_char() == '*' => {
                found.push(Found { line, path });
                return at + 1;
            }
            _ => break,
        }
        at += 1;
        if !is_colons(tokens, at) || at + 2 >= tokens.len() {
            break;
        }
        // What follows `::` but is no part of an import, such as the `<` of a turbofish, ends the path.
        let goes_on = match &tokens[at + 2] {
            TokenTree::Ident(_) => true,
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            token => is_punct(Some(token), '*'),
        };
        if !goes_on {
            break;
        }
        at += 2;
    }
    found.push(Found { line, path });
    at
}

/// Takes `{a, b::c, d::{e, f}}` apart.
fn group_of(group: &proc_macro2::Group, path: &Written, found: &mut Vec<Found>) {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        let next = extend(&tokens, at, path.clone(), found);
        at = next.max(at + 1);
        // Past `as name` to behind the comma.
        while at < tokens.len() && !is_punct(tokens.get(at - 1), ',') {
            at += 1;
        }
    }
}
