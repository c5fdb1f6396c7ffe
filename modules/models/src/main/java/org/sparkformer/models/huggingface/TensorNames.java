package org.sparkformer.models.huggingface;

import java.util.Map;
import org.sparkformer.models.ParameterLayout;

/** How transformers names an architecture's tensors beside the parameters themselves. */
enum TensorNames {
  GPT2("transformer.", Map.of("lm_head.weight", "transformer.wte.weight")) {
    @Override
    String canonical(String name) {
      // GPT2Model saves without the prefix.
      return name.startsWith(prefix()) || tied().containsKey(name) ? name : prefix() + name;
    }

    /** The causal mask, which old versions of transformers saved. */
    @Override
    boolean isNoParameter(String name) {
      return name.endsWith(".attn.bias") || name.endsWith(".attn.masked_bias");
    }
  },

  BERT(
      "bert.",
      Map.of(
          "cls.predictions.decoder.weight",
          "bert.embeddings.word_embeddings.weight",
          "cls.predictions.decoder.bias",
          "cls.predictions.bias")) {
    /** Positions 0, 1, ..., which old versions of transformers saved. */
    @Override
    boolean isNoParameter(String name) {
      return name.equals("bert.embeddings.position_ids");
    }
  };

  private final String prefix;
  private final Map<String, String> tied;

  TensorNames(String prefix, Map<String, String> tied) {
    this.prefix = prefix;
    this.tied = tied;
  }

  static TensorNames of(ParameterLayout layout) {
    return layout.parameters().get(0).name().startsWith(BERT.prefix) ? BERT : GPT2;
  }

  String prefix() {
    return prefix;
  }

  /** Copies that a file may hold, and the parameter that each is tied to. */
  Map<String, String> tied() {
    return tied;
  }

  /** The parameter's name in the model. */
  String canonical(String name) {
    return name;
  }

  abstract boolean isNoParameter(String name);
}
