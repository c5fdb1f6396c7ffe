package org.sparkformer.training;

import java.nio.ByteBuffer;
import org.sparkformer.tensor.Backend;
import org.sparkformer.tensor.DType;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;
import org.sparkformer.tensor.ops.Operation;

/** A real backend, for tests that interfere with what is run on it. */
abstract class ForwardingBackend implements Backend {
  private final Backend backend;

  ForwardingBackend(Backend backend) {
    this.backend = backend;
  }

  @Override
  public void run(Operation operation) {
    backend.run(operation);
  }

  @Override
  public String description() {
    return backend.description();
  }

  @Override
  public Tensor allocate(DType dtype, Shape shape) {
    return backend.allocate(dtype, shape);
  }

  @Override
  public void write(Tensor destination, ByteBuffer source) {
    backend.write(destination, source);
  }

  @Override
  public void read(Tensor source, ByteBuffer destination) {
    backend.read(source, destination);
  }

  @Override
  public void readBeside(Tensor source, ByteBuffer destination) {
    backend.readBeside(source, destination);
  }

  @Override
  public void finish() {
    backend.finish();
  }

  @Override
  public Mark mark() {
    return backend.mark();
  }

  @Override
  public Memory memory() {
    return backend.memory();
  }

  @Override
  public long capacityBytes() {
    return backend.capacityBytes();
  }

  @Override
  public void close() {
    backend.close();
  }
}
