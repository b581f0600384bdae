#include "models/families/block_names.h"

namespace vecframe::models {

BlockNames clip_block_names() {
  BlockNames names;
  names.block = "encoder.layers.";
  names.norm1 = "layer_norm1";
  names.query = "self_attn.q_proj";
  names.key = "self_attn.k_proj";
  names.value = "self_attn.v_proj";
  names.output = "self_attn.out_proj";
  names.norm2 = "layer_norm2";
  names.fc1 = "mlp.fc1";
  names.fc2 = "mlp.fc2";
  return names;
}

BlockNames aimv2_block_names() {
  BlockNames names;
  names.block = "encoder.layers.";
  names.norm1 = "rms_norm1";
  names.query = "attention.q_proj";
  names.key = "attention.k_proj";
  names.value = "attention.v_proj";
  names.output = "attention.out_proj";
  names.norm2 = "rms_norm2";
  names.gate = "ffn.gate_proj";
  names.up = "ffn.up_proj";
  names.fc2 = "ffn.down_proj";
  return names;
}

BlockNames aimv2_apple_block_names() {
  BlockNames names;
  names.block = "trunk.blocks.";
  names.norm1 = "norm_1";
  names.qkv = "attn.qkv";
  names.output = "attn.proj";
  names.norm2 = "norm_2";
  names.gate = "mlp.fc1";
  names.up = "mlp.fc3";
  names.fc2 = "mlp.fc2";
  return names;
}

BlockNames vit_block_names() {
  BlockNames names;
  names.block = "encoder.layer.";
  names.norm1 = "layernorm_before";
  names.query = "attention.attention.query";
  names.key = "attention.attention.key";
  names.value = "attention.attention.value";
  names.output = "attention.output.dense";
  names.norm2 = "layernorm_after";
  names.fc1 = "intermediate.dense";
  names.fc2 = "output.dense";
  return names;
}

BlockNames vit_in_memory_block_names() {
  BlockNames names = vit_block_names();
  names.block = "layers.";
  names.query = "attention.q_proj";
  names.key = "attention.k_proj";
  names.value = "attention.v_proj";
  names.output = "attention.o_proj";
  names.fc1 = "mlp.fc1";
  names.fc2 = "mlp.fc2";
  return names;
}

}  // namespace vecframe::models
