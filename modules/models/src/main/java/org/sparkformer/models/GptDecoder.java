package org.sparkformer.models;

import java.util.ArrayList;
import java.util.List;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.autograd.Tape;
import org.sparkformer.tensor.autograd.Variable;
import org.sparkformer.tensor.ops.Attention;
import org.sparkformer.tensor.ops.AttentionForward;
import org.sparkformer.tensor.ops.Copy;
import org.sparkformer.tensor.ops.Dropout;
import org.sparkformer.tensor.ops.MatMul;
import org.sparkformer.tensor.ops.Projection;

/**
 * Reads one sequence piece by piece: the keys and values of earlier tokens stay on the device, so
 * that a further token costs one row of work a layer and not the whole sequence again.
 *
 * <p>The cache of a layer holds packed rows as the projection makes them, [context, 3 C]: one copy
 * stores a piece, and attention reads keys and values in place.
 */
public final class GptDecoder implements AutoCloseable {
  private final Backend backend;
  private final Gpt gpt;
  private final ModelConfiguration configuration;
  private final List<Tensor> caches = new ArrayList<>();
  private int length;

  /** Takes memory for a whole context: layers times context times 3 C elements. */
  public GptDecoder(Backend backend, Gpt gpt) {
    this.backend = backend;
    this.gpt = gpt;
    this.configuration = gpt.configuration();
    try {
      for (int layer = 0; layer < configuration.layers(); layer++) {
        caches.add(backend.floats(configuration.context(), 3L * configuration.width()));
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Tokens read so far. */
  public int length() {
    return length;
  }

  /** Starts another sequence. */
  public void clear() {
    length = 0;
  }

  /**
   * Reads further tokens.
   *
   * @return the logits of the token after the last of them, [V]
   * @throws IllegalArgumentException if there is no token, one is not in the vocabulary, or the
   *     context has no room; nothing has been read then
   */
  public float[] append(int... tokens) {
    check(tokens);
    try (Tape tape = new Tape(backend, false);
        Tensor input = backend.ints(1, tokens.length);
        Tensor logits = backend.floats(1, configuration.vocabularySize())) {
      backend.write(input, tokens);
      Variable hidden = gpt.hidden(tape, input, length, this::mix);
      Tensor last = hidden.value().rows(tokens.length - 1, 1);
      backend.run(MatMul.of(last, gpt.parameter("wte.weight").value(), logits, false, true));
      length += tokens.length;
      return backend.readFloats(logits);
    }
  }

  private void check(int[] tokens) {
    if (tokens.length == 0) {
      throw new IllegalArgumentException("no token to read");
    }
    if (length + tokens.length > configuration.context()) {
      throw new IllegalArgumentException(
          length
              + " tokens and "
              + tokens.length
              + " more exceed the context of "
              + configuration.context());
    }
    for (int token : tokens) {
      if (token < 0 || token >= configuration.vocabularySize()) {
        throw new IllegalArgumentException(
            "token " + token + " is not in the vocabulary of " + configuration.vocabularySize());
      }
    }
  }

  private Variable mix(Tape tape, int layer, Variable qkv) {
    Tensor cache = caches.get(layer);
    int width = configuration.width();
    int count = qkv.value().rows();
    backend.run(new Copy(qkv.value(), cache.rows(length, count)));
    Attention attention = attention(count);
    Variable output = Variable.intermediate(backend.floats(count, width));
    Tensor logSumExp = backend.floats(1, attention.heads(), count);
    backend.run(
        new AttentionForward(
            attention,
            new Projection(qkv.value(), 0, count),
            new Projection(cache, width, configuration.context()),
            new Projection(cache, 2 * width, configuration.context()),
            output.value(),
            logSumExp));
    tape.record(
        List.of(output),
        List.of(logSumExp),
        () -> {
          throw new UnsupportedOperationException("a cache has no backward pass");
        });
    return output;
  }

  private Attention attention(int count) {
    return new Attention(
        1,
        configuration.heads(),
        configuration.headWidth(),
        count,
        length + count,
        length,
        true,
        null,
        Dropout.NONE);
  }

  /** Gives the caches back. */
  @Override
  public void close() {
    caches.forEach(Tensor::close);
    caches.clear();
  }
}
