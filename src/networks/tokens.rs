//! A network that turns texts into vectors, with the tokenizer that it was trained with.

use std::path::{Path, PathBuf};

use ndarray::Array1;
use serde::{Deserialize, Serialize};
use tokenizers::{Tokenizer, TruncationParams};

use super::encoder::{Pooling, files_of, pooled, without_items};
use super::{Element, Folder, LIBRARY_PART, Network, Port, Value};
use crate::artifact::Fingerprint;
use crate::error::{Error, Result};
use crate::files;

/// Most tokens of a text where neither the recipe nor the network says it: CLIP's.
const LENGTH: usize = 77;
/// Side of the picture that a network with two towers is given beside a text.
const BLANK_SIDE: u32 = 224;

/// A network in ONNX's format that turns texts into vectors. Files are from the current folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextEncoderParams {
    /// The network.
    pub network: PathBuf,
    /// `tokenizer.json`, as Hugging Face has it; the one beside the network where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<PathBuf>,
    /// Most tokens of a text; the rest is cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
    /// Name of the input for tokens; the first one of two axes where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// Name of the output; the first one where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// How the answer becomes one vector.
    #[serde(default)]
    pub pooling: Pooling,
}

/// Cuts texts into the tokens of a network.
pub struct Tokens(Tokenizer);

/// A loaded encoder.
pub struct TextEncoder {
    network: Network,
    tokens: Tokens,
    input: String,
    output: String,
    pooling: Pooling,
    /// Tokens of every text, where the network wants as many of all.
    fixed: Option<usize>,
    /// What fills up shorter texts then.
    padding: i64,
    dim: usize,
}

impl TextEncoderParams {
    fn tokenizer(&self) -> PathBuf {
        let beside = || self.network.with_file_name("tokenizer.json");
        self.tokenizer.clone().unwrap_or_else(beside)
    }

    /// The digests of the network, of its tokenizer and of the library that runs it.
    ///
    /// # Errors
    /// [`Error::Weights`] if one of them is missing.
    pub fn files(&self) -> Result<Vec<(&'static str, Fingerprint)>> {
        let mut files = files_of(&self.network)?;
        let tokenizer = self.tokenizer();
        if !tokenizer.exists() {
            let reason = "there is no such file; a network of texts needs the `tokenizer.json` that it comes with";
            return Err(Error::weights(tokenizer, reason));
        }
        files.push(("tokenizer", Fingerprint::of_file(&tokenizer)?));
        Ok(files)
    }

    /// The bytes of the network, and of its tokenizer.
    ///
    /// # Errors
    /// [`Error::Io`] for a file that cannot be read.
    pub fn read(&self) -> Result<[Vec<u8>; 2]> {
        let read = |path: &Path| files::read(path, files::ANY_SIZE);
        Ok([read(&self.network)?, read(&self.tokenizer())?])
    }

    /// Loads the network and its tokenizer from their bytes.
    ///
    /// # Errors
    /// [`Error::Weights`] if one of them is none, or if the network has not the inputs and outputs of an encoder of texts.
    pub fn load(&self, [network, tokenizer]: [Vec<u8>; 2]) -> Result<TextEncoder> {
        let name = self.network.display().to_string();
        let network = Network::load(&Folder::find(LIBRARY_PART), &name, network)?;
        let wrong = |e: String| Error::weights(self.tokenizer(), e);
        let mut tokens = Tokens::read(&tokenizer).map_err(wrong)?;
        let input = network.inputs().iter().find(|p| match &self.input {
            Some(name) => p.name == *name,
            None => takes_tokens(p),
        });
        let input = input.ok_or_else(|| network.wrong("it has no input for tokens"))?;
        let fixed = input.shape.get(1).copied().flatten();
        let padding = tokens.padding();
        let max_length = self.length.or(fixed).unwrap_or(LENGTH);
        let max_length = fixed.map_or(max_length, |fixed| max_length.min(fixed));
        tokens.cut_at(max_length).map_err(wrong)?;
        let mut encoder = TextEncoder {
            input: input.name.clone(),
            output: network.output(self.output.as_deref())?.name.clone(),
            pooling: self.pooling,
            fixed,
            padding,
            dim: 0,
            network,
            tokens,
        };
        encoder.dim = encoder.features("a")?.len();
        Ok(encoder)
    }
}

impl Tokens {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut json: serde_json::Value =
            serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        // Only for turning tokens into text. The library panics on one that it does not know.
        if let Some(parts) = json.as_object_mut() {
            parts.remove("decoder");
        }
        if let Some(token) = unknown_special_token(&json["post_processor"]) {
            return Err(format!("its post-processor has no special token `{token}`"));
        }
        let tokenizer = Tokenizer::from_bytes(json.to_string());
        tokenizer.map(Self).map_err(|e| e.to_string())
    }

    /// What fills up texts.
    fn padding(&self) -> i64 {
        let padding = self.0.get_padding().map(|p| p.pad_id);
        let padding = padding.or_else(|| self.0.token_to_id("[PAD]"));
        padding.map_or(0, i64::from)
    }

    /// Cuts texts off after so many tokens; none is filled up.
    fn cut_at(&mut self, max_length: usize) -> Result<(), String> {
        self.0.with_padding(None);
        let truncation = TruncationParams {
            max_length,
            ..Default::default()
        };
        let cut = self.0.with_truncation(Some(truncation));
        cut.map(drop).map_err(|e| e.to_string())
    }

    /// The ids of a text's tokens, with those that it begins and ends with.
    ///
    /// # Errors
    /// Why the tokenizer cannot take the text.
    pub fn ids(&self, text: &str) -> Result<Vec<i64>, String> {
        let encoding = self.0.encode_fast(text, true).map_err(|e| e.to_string())?;
        Ok(encoding.get_ids().iter().map(|&id| i64::from(id)).collect())
    }
}

/// A special token that a template of a post-processor, or of one within it, asks for and that its list does not have: the
/// library would panic when it needs it.
fn unknown_special_token(processor: &serde_json::Value) -> Option<String> {
    let list = |key: &str| processor[key].as_array().into_iter().flatten();
    let wanted = list("single").chain(list("pair"));
    let mut wanted = wanted.filter_map(|piece| piece["SpecialToken"]["id"].as_str());
    let known = &processor["special_tokens"];
    let unknown = wanted.find(|token| known.get(token).is_none());
    let within = || list("processors").find_map(unknown_special_token);
    unknown.map(str::to_owned).or_else(within)
}

fn takes_tokens(port: &Port) -> bool {
    let numbers = matches!(port.element, Element::Long | Element::Int);
    numbers && port.shape.len() == 2 && !is_mask(port) && !is_type(port)
}
fn is_mask(port: &Port) -> bool {
    port.name.contains("mask")
}
fn is_type(port: &Port) -> bool {
    port.name.contains("type")
}

impl TextEncoder {
    /// Length of a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The ids of a text's tokens, with those that it begins and ends with.
    ///
    /// # Errors
    /// [`Error::Weights`] if the tokenizer cannot take the text.
    pub fn tokens(&self, text: &str) -> Result<Vec<i64>> {
        let ids = self.tokens.ids(text);
        ids.map_err(|e| self.network.wrong(format!("its tokenizer: {e}")))
    }

    /// The network's vector of a text, as it is. Texts go through the network one by one, so that none depends on another.
    ///
    /// # Errors
    /// [`Error::Weights`] if the network fails, or if its answer is not of the shape that the pooling wants.
    pub fn features(&self, text: &str) -> Result<Array1<f32>> {
        let mut ids = self.tokens(text)?;
        let own = ids.len();
        ids.resize(self.fixed.unwrap_or(own).max(own), self.padding);
        let shape = [1, ids.len()];
        let numbers =
            |of: &dyn Fn(usize) -> i64| Value::Numbers((0..shape[1]).map(of).collect(), shape);
        let inputs = self.network.inputs().iter().map(|port| {
            let value = match port {
                p if p.name == self.input => numbers(&|i| ids[i]),
                p if is_mask(p) => numbers(&|i| i64::from(i < own)),
                p if is_type(p) => numbers(&|_| 0),
                p => p.blank(BLANK_SIDE),
            };
            (&*port.name, value)
        });
        let inputs: Vec<(&str, Value)> = inputs.collect();
        let answer = self.network.run(&inputs, &[&self.output])?.remove(0);
        let answer = without_items(answer).and_then(|answer| {
            // what only fills up is no part of the text
            let tokens = match answer.ndim() {
                2 if answer.shape()[0] == shape[1] => {
                    answer.slice_move(ndarray::s![..own, ..]).into_dyn()
                }
                _ => answer,
            };
            pooled(tokens, self.pooling)
        });
        match answer {
            Ok(v) if v.iter().all(|v| v.is_finite()) => Ok(v),
            Ok(_) => Err(self.network.wrong("its answer is not finite")),
            Err(e) => Err(self.network.wrong(e)),
        }
    }
}
