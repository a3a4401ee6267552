//! How ggml stores the numbers of a tensor, and the types that can be turned into F32.
//!
//! Sizes and names are ggml's own, asked for at run time, so they cannot drift from the library that computes with them.

use std::ffi::CStr;

use half::{bf16, f16};

/// A storage type that this build of ggml knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TensorType(u32);

impl TensorType {
    /// 32-bit floats.
    pub const F32: Self = Self(0);
    /// IEEE half precision.
    pub const F16: Self = Self(1);
    /// Blocks of 32 numbers of 4 bits, each block with a half-precision scale.
    pub const Q4_0: Self = Self(2);
    /// Blocks of 32 numbers of 4 bits, each block with a half-precision scale and least number.
    pub const Q4_1: Self = Self(3);
    /// Blocks of 32 numbers of 5 bits, each block with a half-precision scale and least number.
    pub const Q5_1: Self = Self(7);
    /// Blocks of 32 signed bytes, each block with a half-precision scale.
    pub const Q8_0: Self = Self(8);
    /// Blocks of 256 numbers of 4 bits, as most models are passed on.
    pub const Q4_K: Self = Self(12);
    /// Blocks of 256 numbers of 6 bits.
    pub const Q6_K: Self = Self(14);
    /// The upper half of a 32-bit float.
    pub const BF16: Self = Self(30);

    /// The type with this number; none if ggml does not know it or has dropped it.
    pub fn from_raw(raw: u32) -> Option<Self> {
        // ggml indexes a table by the number, so the bound is checked before any call.
        (raw < llama_cpp_sys_2::GGML_TYPE_COUNT && Self(raw).block_bytes() > 0 && Self(raw).block_len() > 0)
            .then_some(Self(raw))
    }

    /// The number used in files.
    pub fn raw(self) -> u32 {
        self.0
    }

    /// Values per block.
    pub fn block_len(self) -> u64 {
        #[expect(unsafe_code, reason = "ggml looks a static table up; every TensorType lies inside it")]
        let len = unsafe { llama_cpp_sys_2::ggml_blck_size(self.0) };
        u64::try_from(len).unwrap_or(0)
    }

    /// Bytes per block.
    pub fn block_bytes(self) -> u64 {
        #[expect(unsafe_code, reason = "ggml looks a static table up; every TensorType lies inside it")]
        let bytes = unsafe { llama_cpp_sys_2::ggml_type_size(self.0) };
        bytes as u64
    }

    /// The name as people write it: `Q8_0`, `F32`, `Q4_K`.
    pub fn name(self) -> String {
        #[expect(unsafe_code, reason = "the name is a static C string, or null for a hole in the table")]
        let name = unsafe {
            let name = llama_cpp_sys_2::ggml_type_name(self.0);
            if name.is_null() { None } else { CStr::from_ptr(name).to_str().ok() }
        };
        name.map_or_else(|| format!("type {}", self.0), str::to_ascii_uppercase)
    }

    /// Bytes that `values` numbers take; none where they do not fill whole blocks or overflow.
    pub fn bytes_for(self, values: u64) -> Option<u64> {
        let block = self.block_len();
        if !values.is_multiple_of(block) {
            return None;
        }
        (values / block).checked_mul(self.block_bytes())
    }

    /// True for the types that [`Self::to_f32`] can turn into F32.
    pub fn has_f32_form(self) -> bool {
        [Self::F32, Self::F16, Self::BF16, Self::Q4_0, Self::Q8_0].contains(&self)
    }

    /// Appends the little-endian F32 form of whole blocks to `out`. Types without one append nothing.
    ///
    /// Q8_0 is `scale * quant` and Q4_0 `(quant - 8) * scale` in single precision, as in ggml's `dequantize_row_q8_0` and
    /// `dequantize_row_q4_0`.
    pub fn to_f32(self, blocks: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::F32 => out.extend_from_slice(blocks),
            Self::F16 => {
                for half in blocks.as_chunks::<2>().0 {
                    out.extend_from_slice(&f16::from_le_bytes(*half).to_f32().to_le_bytes());
                }
            }
            Self::BF16 => {
                for half in blocks.as_chunks::<2>().0 {
                    out.extend_from_slice(&bf16::from_le_bytes(*half).to_f32().to_le_bytes());
                }
            }
            Self::Q8_0 => {
                for [low, high, quants @ ..] in blocks.as_chunks::<34>().0 {
                    let scale = f16::from_le_bytes([*low, *high]).to_f32();
                    let mut floats = [0u8; 128];
                    for (quant, float) in quants.iter().zip(floats.as_chunks_mut::<4>().0) {
                        *float = (scale * f32::from(i8::from_le_bytes([*quant]))).to_le_bytes();
                    }
                    out.extend_from_slice(&floats);
                }
            }
            Self::Q4_0 => {
                for [low, high, pairs @ ..] in blocks.as_chunks::<18>().0 {
                    let scale = f16::from_le_bytes([*low, *high]).to_f32();
                    let mut floats = [0u8; 128];
                    // The low halves of the bytes are the first 16 numbers of the block, the high halves the others.
                    let quants = pairs.iter().map(|pair| pair & 15).chain(pairs.iter().map(|pair| pair >> 4));
                    for (quant, float) in quants.zip(floats.as_chunks_mut::<4>().0) {
                        *float = ((f32::from(quant) - 8.0) * scale).to_le_bytes();
                    }
                    out.extend_from_slice(&floats);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_names_are_those_of_the_format() {
        assert_eq!((TensorType::Q8_0.block_len(), TensorType::Q8_0.block_bytes()), (32, 34));
        assert_eq!(TensorType::Q8_0.name(), "Q8_0");
        assert_eq!(TensorType::from_raw(12).unwrap().name(), "Q4_K");
        assert_eq!(TensorType::F32.bytes_for(384 * 384), Some(589_824));
        assert_eq!(TensorType::Q8_0.bytes_for(33), None);
    }

    #[test]
    fn types_that_ggml_dropped_or_never_had_are_unknown() {
        for raw in [4, 5, 31, 38, 43, 1000, u32::MAX] {
            assert_eq!(TensorType::from_raw(raw), None, "{raw}");
        }
    }

    #[test]
    fn a_block_of_q8_0_is_its_scale_times_its_bytes() {
        let mut block = f16::from_f32(0.5).to_le_bytes().to_vec();
        block.extend((-16i8..16).map(|q| q.to_le_bytes()[0]));
        let mut out = Vec::new();
        TensorType::Q8_0.to_f32(&block, &mut out);
        let floats: Vec<f32> = out.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        let expected: Vec<f32> = (-16i8..16).map(|q| 0.5 * f32::from(q)).collect();
        assert_eq!(floats, expected);
    }

    #[test]
    fn a_block_of_q4_0_is_its_scale_times_its_halves_of_bytes_less_eight() {
        let mut block = f16::from_f32(0.5).to_le_bytes().to_vec();
        block.extend((0..16u8).map(|i| i | (15 - i) << 4));
        let mut out = Vec::new();
        TensorType::Q4_0.to_f32(&block, &mut out);
        let floats: Vec<f32> = out.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        let up = (0..16).map(|i| 0.5 * (i as f32 - 8.0));
        let expected: Vec<f32> = up.clone().chain(up.rev()).collect();
        assert_eq!(floats, expected);
    }

    #[test]
    fn half_floats_keep_their_value() {
        for (kind, bytes) in [
            (TensorType::F16, f16::from_f32(-1.5).to_le_bytes()),
            (TensorType::BF16, bf16::from_f32(-1.5).to_le_bytes()),
        ] {
            let mut out = Vec::new();
            kind.to_f32(&bytes, &mut out);
            assert_eq!(out, (-1.5f32).to_le_bytes(), "{}", kind.name());
        }
    }
}
