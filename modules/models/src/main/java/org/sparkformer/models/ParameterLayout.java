package org.sparkformer.models;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.sparkformer.tensor.Shape;
import org.sparkformer.tensor.Tensor;

/**
 * Where each parameter lies in the one flat vector that the optimizer, the collectives and
 * checkpoints work on.
 *
 * <p>Matrices come first, for only they decay; each parameter starts on a multiple of {@link
 * #ALIGNMENT} elements so that devices can address it as a buffer of its own. The gaps hold zeros,
 * whose gradients are zero, and stay zero.
 */
public final class ParameterLayout {
  /** Elements; 1 KiB in fp32, the largest base alignment that devices ask for. */
  public static final int ALIGNMENT = 256;

  private final List<Parameter> parameters;
  private final Map<String, Parameter> byName;
  private final long size;
  private final long decayed;

  /**
   * @param name as in a Hugging Face file
   * @param shape row-major
   * @param initialDeviation standard deviation of the initial values; 0 for a constant
   * @param initialMean mean of the initial values
   * @param finishingMark when a backward pass has finished the gradient: as soon as the tape
   *     reports this mark or a smaller one, {@link LanguageModel#END_OF_PASS} when the whole pass
   *     is over
   * @param offset first element in the flat vector
   */
  public record Parameter(
      String name,
      Shape shape,
      double initialDeviation,
      double initialMean,
      int finishingMark,
      long offset) {

    /** Whether weight decay applies: to matrices, not to biases and normalisation weights. */
    public boolean decays() {
      return shape.rank() >= 2;
    }

    private Parameter at(long position) {
      return new Parameter(name, shape, initialDeviation, initialMean, finishingMark, position);
    }
  }

  /**
   * Lays parameters out.
   *
   * @param declared in the model's order, offsets ignored
   */
  public ParameterLayout(List<Parameter> declared) {
    List<Parameter> placed = new ArrayList<>();
    long position = 0;
    long matrices = 0;
    for (Parameter parameter :
        declared.stream().sorted(Comparator.comparing(p -> !p.decays())).toList()) {
      placed.add(parameter.at(position));
      position = align(position + parameter.shape().size());
      matrices = parameter.decays() ? position : matrices;
    }
    this.parameters = List.copyOf(placed);
    this.byName = placed.stream().collect(Collectors.toMap(Parameter::name, p -> p));
    this.size = position;
    this.decayed = matrices;
  }

  private static long align(long position) {
    return (position + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** All parameters in canonical order, which is the order of their offsets. */
  public List<Parameter> parameters() {
    return parameters;
  }

  /** Elements of the flat vector, gaps included. */
  public long size() {
    return size;
  }

  /** Leading elements of the flat vector that decay. */
  public long decayed() {
    return decayed;
  }

  /** Number of trainable values, gaps left out. */
  public long parameterCount() {
    return parameters.stream().mapToLong(parameter -> parameter.shape().size()).sum();
  }

  /**
   * @throws IllegalArgumentException if there is no such parameter
   */
  public Parameter parameter(String name) {
    Parameter parameter = byName.get(name);
    if (parameter == null) {
      throw new IllegalArgumentException("the model has no parameter " + name);
    }
    return parameter;
  }

  /** A parameter's elements of a flat vector, in the parameter's shape; borrowed. */
  public static Tensor view(Tensor flat, Parameter parameter) {
    return view(flat, parameter.offset(), parameter);
  }

  /** Elements of a vector from {@code first} on, in a parameter's shape; borrowed. */
  public static Tensor view(Tensor vector, long first, Parameter parameter) {
    Shape shape = parameter.shape();
    long[] extents = new long[shape.rank()];
    for (int axis = 0; axis < extents.length; axis++) {
      extents[axis] = shape.extent(axis);
    }
    return vector.view(first, extents);
  }
}
