package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;

/**
 * One operation of a backend: a record of its arguments, and its definition as an Aparapi kernel.
 *
 * <p>The definition is the meaning of the operation: a short Java loop, one work-item an element or
 * row, over {@code float[]} and {@code int[]} fields. Every backend either runs the definition (as
 * Java, or as the OpenCL that Aparapi makes of it) or a faster kernel that the contract suite holds
 * against it. {@link Binding} joins the definition's fields to the record by name, so a new
 * operation is this one file, a contract test and, where it pays, a {@code .cl} kernel.
 *
 * <p>Tensors are fp32 or int32. One whose Javadoc says "or bf16" may be of either: it is computed
 * with as fp32, and what is written to it is rounded once, to nearest and ties to even.
 *
 * <p>Tensor components that the operation writes carry {@link Output}. A tensor component may be
 * null where its Javadoc says so; a definition asks with an int field {@code <name>Present}.
 */
public interface Operation {

  /** A new, unbound instance of the definition. */
  Kernel definition();

  /** How many work-items the definition runs over, in one dimension. */
  long workItems();
}
