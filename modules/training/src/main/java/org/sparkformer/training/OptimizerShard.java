package org.sparkformer.training;

import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.stream.Collectors;
import org.sparkformer.models.safetensors.ElementType;
import org.sparkformer.models.safetensors.SafetensorsHeader;
import org.sparkformer.models.safetensors.SafetensorsWriter;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Shape;

/**
 * One rank's part of AdamW's two moments on its way into a checkpoint: a safetensors file with both
 * vectors and, under {@value #RANGES}, the ranges of the flat parameter vector that they are for:
 * {@code from-to,from-to,...}, the ends left out, in the order of the elements. {@link
 * OptimizerShards} reads it.
 */
final class OptimizerShard {
  static final String FIRST_MOMENT = "first_moment";
  static final String SECOND_MOMENT = "second_moment";
  static final String RANGES = "ranges";

  private final List<Slice> slices;
  private final long size;
  private final VectorSnapshot firstMoment;
  private final VectorSnapshot secondMoment;

  OptimizerShard(Backend backend, ModelState state) {
    this.slices = state.slices();
    this.size = slices.stream().mapToLong(Slice::parameters).sum();
    this.firstMoment = new VectorSnapshot(backend, state.firstMoment());
    this.secondMoment = new VectorSnapshot(backend, state.secondMoment());
  }

  static String fileName(int rank, int ranks) {
    return "optimizer-%05d-of-%05d.safetensors".formatted(rank, ranks);
  }

  static boolean isShard(String fileName) {
    return fileName.matches("optimizer-\\d{5}-of-\\d{5}\\.safetensors");
  }

  /** The vectors that the file holds. */
  List<VectorSnapshot> vectors() {
    return List.of(firstMoment, secondMoment);
  }

  CheckpointFile file(String name) {
    return new CheckpointFile(name, stream -> write(name, stream));
  }

  private void write(String name, OutputStream stream) throws IOException {
    SafetensorsHeader header =
        new SafetensorsHeader.Builder()
            .metadata("format", "sparkformer-optimizer-shard")
            .metadata(RANGES, ranges())
            .tensor(FIRST_MOMENT, ElementType.F32, Shape.of(size))
            .tensor(SECOND_MOMENT, ElementType.F32, Shape.of(size))
            .build();
    SafetensorsWriter writer = new SafetensorsWriter(name, stream, header);
    firstMoment.write(writer, FIRST_MOMENT, 0, size);
    secondMoment.write(writer, SECOND_MOMENT, 0, size);
    writer.finish();
  }

  private String ranges() {
    return slices.stream()
        .filter(Slice::holdsParameters)
        .map(slice -> slice.from() + "-" + (slice.from() + slice.parameters()))
        .collect(Collectors.joining(","));
  }
}
