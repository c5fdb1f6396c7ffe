package org.sparkformer.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.sparkformer.models.safetensors.ElementType;
import org.sparkformer.models.safetensors.SafetensorsHeader;
import org.sparkformer.models.safetensors.SafetensorsWriter;
import org.sparkformer.opencl.DeviceSelector;
import org.sparkformer.opencl.OpenClBackend;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Fill;

class VectorSnapshotTest {
  private static final int SIZE = 103;
  private static final int PIECE = 10;

  private final OpenClBackend backend = OpenClBackend.open(new DeviceSelector("auto"));
  private final Tensor vector = backend.floats(SIZE);
  private final VectorSnapshot snapshot = new VectorSnapshot(backend, vector, PIECE);
  private final float[] values = new float[SIZE];

  VectorSnapshotTest() {
    for (int i = 0; i < SIZE; i++) {
      values[i] = i - 50.5f;
    }
    backend.write(vector, values);
    backend.finish();
  }

  @AfterEach
  void close() {
    vector.close();
    backend.close();
  }

  @Test
  void anUnchangedVectorIsReadFromTheDevice() throws IOException {
    snapshot.take();
    assertArrayEquals(values, written(SIZE));
    assertFalse(snapshot.needsDevice());
  }

  @Test
  void whatIsWrittenAfterAChangeIsWhatWasThereBefore() throws IOException {
    for (int before : new int[] {0, 1, PIECE, 57, SIZE - 1}) {
      backend.write(vector, values);
      snapshot.take();
      assertArrayEquals(values, written(before));
    }
  }

  @Test
  void onlyWhatIsStillUnreadNeedsTheDevice() throws IOException {
    assertFalse(snapshot.needsDevice());
    snapshot.take();
    assertTrue(snapshot.needsDevice());
    snapshot.detach();
    assertFalse(snapshot.needsDevice());
  }

  @Test
  void aPieceThatHasPassedIsNotGivenAgain() throws IOException {
    snapshot.take();
    SafetensorsWriter writer = writer(OutputStream.nullOutputStream());
    snapshot.write(writer, "x", 0, 2 * PIECE);
    assertThrows(IllegalStateException.class, () -> snapshot.write(writer, "x", 0, 1));
  }

  /** Writes all, the vector being changed after so many elements. */
  private float[] written(int before) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    SafetensorsWriter writer = writer(bytes);
    if (before > 0) {
      snapshot.write(writer, "x", 0, before);
    }
    snapshot.detach();
    backend.run(new Fill(vector, Float.NaN));
    backend.finish();
    snapshot.write(writer, "x", before, SIZE - before);
    writer.finish();
    float[] result = new float[SIZE];
    byte[] all = bytes.toByteArray();
    byte[] data = Arrays.copyOfRange(all, all.length - SIZE * Float.BYTES, all.length);
    ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(result);
    return result;
  }

  private static SafetensorsWriter writer(OutputStream stream) throws IOException {
    SafetensorsHeader header =
        new SafetensorsHeader.Builder().tensor("x", ElementType.F32, Shape.of(SIZE)).build();
    return new SafetensorsWriter("x.safetensors", stream, header);
  }
}
