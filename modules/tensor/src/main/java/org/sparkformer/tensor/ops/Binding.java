package org.sparkformer.tensor.ops;

import com.aparapi.Kernel;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.sparkformer.tensor.Tensor;

/**
 * Joins the fields of an operation's definition to the operation by name.
 *
 * <p>A field {@code x} takes the value of the method {@code x()} of the record: a {@link Tensor}
 * for an array field, a number or boolean for a scalar one. A field {@code xPresent} is 1 where
 * {@code x()} is not null, else 0.
 */
public final class Binding {
  private static final String PRESENT = "Present";
  private static final Map<Class<?>, Binding> BINDINGS = new ConcurrentHashMap<>();

  private final List<Argument> arguments;

  private Binding(List<Argument> arguments) {
    this.arguments = arguments;
  }

  /**
   * The binding of an operation's class, made once.
   *
   * @throws IllegalArgumentException if a field has no method of its name
   */
  public static Binding of(Operation operation) {
    return BINDINGS.computeIfAbsent(
        operation.getClass(), type -> make(type, operation.definition().getClass()));
  }

  private static Binding make(Class<?> operation, Class<? extends Kernel> definition) {
    return new Binding(
        Arrays.stream(definition.getDeclaredFields())
            .filter(field -> !Modifier.isStatic(field.getModifiers()))
            .map(field -> Argument.of(operation, field))
            .toList());
  }

  /** One argument a field, in the order of declaration. */
  public List<Argument> arguments() {
    return arguments;
  }

  /** A field of a definition and where its value comes from. */
  public record Argument(Field field, Method source, boolean presence, boolean output) {

    private static Argument of(Class<?> operation, Field field) {
      String name = field.getName();
      boolean presence = name.endsWith(PRESENT);
      String source = presence ? name.substring(0, name.length() - PRESENT.length()) : name;
      try {
        Method method = operation.getMethod(source);
        method.setAccessible(true);
        field.setAccessible(true);
        return new Argument(field, method, presence, isOutput(operation, source));
      } catch (NoSuchMethodException e) {
        throw new IllegalArgumentException(
            operation.getSimpleName() + " has no " + source + "() for its definition's field", e);
      }
    }

    private static boolean isOutput(Class<?> operation, String name) {
      return Arrays.stream(operation.getRecordComponents())
          .filter(component -> component.getName().equals(name))
          .anyMatch(component -> component.isAnnotationPresent(Output.class));
    }

    public String name() {
      return field.getName();
    }

    /** True for {@code float[]} and {@code int[]} fields. */
    public boolean isArray() {
      return field.getType().isArray();
    }

    /** The tensor of an array field; null where the operation has none. */
    public Tensor tensor(Operation operation) {
      return (Tensor) value(operation);
    }

    /** The value of a scalar field: an Integer, Long or Float; booleans become 0 or 1. */
    public Number scalar(Operation operation) {
      Object value = value(operation);
      if (presence) {
        return value == null ? 0 : 1;
      }
      return value instanceof Boolean flag ? Integer.valueOf(flag ? 1 : 0) : (Number) value;
    }

    private Object value(Operation operation) {
      try {
        return source.invoke(operation);
      } catch (IllegalAccessException | InvocationTargetException e) {
        throw new IllegalStateException("cannot read " + source, e);
      }
    }
  }
}
