package org.sparkformer.training;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.Set;
import java.util.TreeSet;
import org.sparkformer.data.Shard;
import org.sparkformer.data.Split;
import org.sparkformer.data.TokenDataset;
import org.sparkformer.training.configuration.Defaults;
import org.sparkformer.training.configuration.RunConfiguration;

/**
 * Refuses to go on with a run under a configuration or on tokens that would give other numbers than
 * those it began with.
 */
final class ResumeCheck {
  /**
   * What may differ: it changes no weight, but for {@code zero_stage} where gradients cross in
   * bf16, which {@link CheckpointRestorer} tells. The dataset is compared by content, not by path.
   */
  private static final Set<String> FREE =
      Set.of(
          "name",
          "data.input",
          "data.dataset",
          "data.tokenizer",
          "data.text_column",
          "data.documents",
          "data.validation_fraction",
          "model.recompute_activations",
          "training.zero_stage",
          "training.overlap",
          "training.direct_ranks",
          "training.connections",
          "training.eval_interval",
          "training.eval_batches",
          "training.checkpoint_interval",
          "training.keep_checkpoints",
          "training.log_interval",
          "training.step_timeout",
          "training.digest_interval",
          "training.gradient_check_interval");

  private final String checkpoint;

  /**
   * @param checkpoint path, for messages
   */
  ResumeCheck(String checkpoint) {
    this.checkpoint = checkpoint;
  }

  /**
   * A key that the run began without, for there was none then, is taken for its default.
   *
   * @param began the checkpoint's configuration
   * @throws IllegalArgumentException naming a key whose value has changed
   */
  void requireSame(JsonNode began, RunConfiguration now) throws IOException {
    ObjectNode defaults = Defaults.retain((ObjectNode) Json.tree(Json.pretty(Defaults.EXEMPLAR)));
    compare("", began, defaults, Json.tree(Json.pretty(now)));
  }

  private void compare(String key, JsonNode began, JsonNode usual, JsonNode now) {
    if (FREE.contains(key)) {
      return;
    }
    JsonNode before = began.isMissingNode() ? usual : began;
    if (before.isObject() && now.isObject()) {
      for (String name : names(before, now)) {
        String inner = key.isEmpty() ? name : key + "." + name;
        compare(inner, began.path(name), usual.path(name), now.path(name));
      }
    } else if (!before.equals(now)) {
      throw new IllegalArgumentException(
          "cannot resume from %s: %s is %s now, but the run began %s; set it back, or start a new run in another folder"
              .formatted(checkpoint, key, now, description(began, usual)));
    }
  }

  private static String description(JsonNode began, JsonNode usual) {
    if (!began.isMissingNode()) {
      return "with " + began;
    }
    return "without that key" + (usual.isMissingNode() ? "" : ", which stands for " + usual);
  }

  private static Set<String> names(JsonNode one, JsonNode other) {
    Set<String> names = new TreeSet<>();
    for (JsonNode node : new JsonNode[] {one, other}) {
      for (Iterator<String> fields = node.fieldNames(); fields.hasNext(); ) {
        names.add(fields.next());
      }
    }
    return names;
  }

  /**
   * @throws IllegalArgumentException if the tokens are not those the run began with
   */
  void requireSame(String began, TokenDataset now) {
    if (!began.equals(fingerprint(now))) {
      throw new IllegalArgumentException(
          "cannot resume from %s: the dataset %s holds other tokens than the run began with; give it the same dataset, or start a new run in another folder"
              .formatted(checkpoint, now.uri()));
    }
  }

  /** SHA-256 over the tokenizer's digest and the training shards' sizes and checksums. */
  static String fingerprint(TokenDataset dataset) {
    StringBuilder content = new StringBuilder(dataset.tokenizerDigest());
    for (Shard shard : dataset.manifest().split(Split.TRAIN).shards()) {
      content
          .append('\n')
          .append(shard.tokens().bytes())
          .append(' ')
          .append(shard.tokens().crc32c());
    }
    try {
      byte[] bytes = content.toString().getBytes(StandardCharsets.UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java run time lacks SHA-256", e);
    }
  }
}
