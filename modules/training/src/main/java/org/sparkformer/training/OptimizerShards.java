package org.sparkformer.training;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.sparkformer.models.ParameterLayout;
import org.sparkformer.models.safetensors.SafetensorsReader;
import org.sparkformer.models.safetensors.TensorEntry;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.Tensor;

/**
 * Reads AdamW's moments from a checkpoint, whatever number of ranks wrote it: each rank reads the
 * ranges that it owns now. Checkpoints of earlier versions, a file for each moment with a tensor
 * for each parameter, are read as well.
 */
final class OptimizerShards implements Closeable {
  private static final String WHOLE_FIRST_MOMENT = "optimizer-first-moment.safetensors";
  private static final String WHOLE_SECOND_MOMENT = "optimizer-second-moment.safetensors";
  private static final int CHUNK = 1 << 20;

  private final String checkpoint;
  private final List<SafetensorsReader> files = new ArrayList<>();
  private final List<Piece> firstMoment = new ArrayList<>();
  private final List<Piece> secondMoment = new ArrayList<>();
  private final ByteBuffer chunk =
      ByteBuffer.allocateDirect(CHUNK * Float.BYTES).order(ByteOrder.nativeOrder());

  /** Elements {@code [from, to)} of the flat vector, found in a tensor from an element on. */
  private record Piece(SafetensorsReader file, TensorEntry tensor, long first, long from, long to) {
    void read(long at, ByteBuffer floats) throws IOException {
      file.readFloats(tensor, first + at - from, floats.asFloatBuffer());
    }
  }

  private OptimizerShards(String checkpoint) {
    this.checkpoint = checkpoint;
  }

  /**
   * @param names of the checkpoint's files
   */
  static OptimizerShards open(RunFolder checkpoint, List<String> names, ParameterLayout layout)
      throws IOException {
    OptimizerShards shards = new OptimizerShards(checkpoint.path().toString());
    try {
      for (String name : names) {
        if (OptimizerShard.isShard(name)) {
          shards.addShard(shards.file(checkpoint, name));
        } else if (name.equals(WHOLE_FIRST_MOMENT)) {
          addWhole(shards.file(checkpoint, name), layout, shards.firstMoment);
        } else if (name.equals(WHOLE_SECOND_MOMENT)) {
          addWhole(shards.file(checkpoint, name), layout, shards.secondMoment);
        }
      }
      return shards;
    } catch (IOException unreadable) {
      shards.close();
      throw unreadable;
    }
  }

  private SafetensorsReader file(RunFolder checkpoint, String name) throws IOException {
    SafetensorsReader file = SafetensorsReader.open(HadoopByteSource.open(checkpoint, name));
    files.add(file);
    return file;
  }

  private void addShard(SafetensorsReader file) throws IOException {
    TensorEntry first = file.entry(OptimizerShard.FIRST_MOMENT);
    TensorEntry second = file.entry(OptimizerShard.SECOND_MOMENT);
    String ranges = file.header().metadata().getOrDefault(OptimizerShard.RANGES, "");
    long at = 0;
    for (String range : ranges.isEmpty() ? new String[0] : ranges.split(",")) {
      long from = bound(file, range, 0);
      long to = bound(file, range, 1);
      firstMoment.add(new Piece(file, first, at, from, to));
      secondMoment.add(new Piece(file, second, at, from, to));
      at += to - from;
    }
    if (at != first.shape().size() || at != second.shape().size()) {
      throw new CorruptCheckpointException(
          "%s: its ranges %s do not have as many elements as its tensors"
              .formatted(file.file(), ranges));
    }
  }

  private static long bound(SafetensorsReader file, String range, int index)
      throws CorruptCheckpointException {
    try {
      return Long.parseLong(range.split("-", 2)[index]);
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException unreadable) {
      throw new CorruptCheckpointException(
          "%s: %s is no range".formatted(file.file(), range), unreadable);
    }
  }

  private static void addWhole(SafetensorsReader file, ParameterLayout layout, List<Piece> pieces)
      throws IOException {
    for (ParameterLayout.Parameter parameter : layout.parameters()) {
      TensorEntry entry = file.entry(parameter.name());
      long from = parameter.offset();
      long size = parameter.shape().size();
      // The gap behind a parameter, which holds zeros, is in no tensor.
      pieces.add(new Piece(file, entry, 0, from, from + size));
    }
  }

  /**
   * Fills a rank's moments.
   *
   * @throws CorruptCheckpointException if the checkpoint lacks some of them
   */
  void load(Backend backend, ModelState state) throws IOException {
    load(backend, state, firstMoment, state.firstMoment());
    load(backend, state, secondMoment, state.secondMoment());
    backend.finish();
  }

  private void load(Backend backend, ModelState state, List<Piece> pieces, Tensor moment)
      throws IOException {
    for (Slice slice : state.slices()) {
      long found = 0;
      for (Piece piece : pieces) {
        long from = Math.max(piece.from(), slice.from());
        long to = Math.min(piece.to(), slice.from() + slice.parameters());
        if (from < to) {
          copy(backend, piece, from, moment.view(slice.packed() + from - slice.from(), to - from));
          found += to - from;
        }
      }
      requireAll(state.layout(), slice, found);
    }
  }

  private void copy(Backend backend, Piece piece, long from, Tensor destination)
      throws IOException {
    for (long done = 0; done < destination.size(); done += CHUNK) {
      int count = (int) Math.min(CHUNK, destination.size() - done);
      piece.read(from + done, chunk.clear().limit(count * Float.BYTES));
      backend.write(destination.view(done, count), chunk);
    }
  }

  /** The gaps between parameters hold zeros and need not be in a file. */
  private void requireAll(ParameterLayout layout, Slice slice, long found)
      throws CorruptCheckpointException {
    long end = slice.from() + slice.parameters();
    long wanted = 0;
    for (ParameterLayout.Parameter parameter : layout.parameters()) {
      long from = Math.max(parameter.offset(), slice.from());
      long to = Math.min(parameter.offset() + parameter.shape().size(), end);
      wanted += Math.max(0, to - from);
    }
    if (found < wanted) {
      throw new CorruptCheckpointException(
          "%s lacks %d of AdamW's moments between the elements %d and %d"
              .formatted(checkpoint, wanted - found, slice.from(), end));
    }
  }

  @Override
  public void close() throws IOException {
    for (SafetensorsReader file : files) {
      file.close();
    }
  }
}
