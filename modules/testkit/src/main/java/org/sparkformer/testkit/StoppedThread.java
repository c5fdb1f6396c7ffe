package org.sparkformer.testkit;

import com.sun.jdi.ArrayReference;
import com.sun.jdi.ClassNotLoadedException;
import com.sun.jdi.FloatValue;
import com.sun.jdi.IncompatibleThreadStateException;
import com.sun.jdi.IntegerValue;
import com.sun.jdi.InvalidTypeException;
import com.sun.jdi.ObjectReference;
import com.sun.jdi.StackFrame;
import com.sun.jdi.ThreadReference;
import com.sun.jdi.Value;
import java.util.List;

/** A thread of another process that a {@link Debugger} has stopped at the entry of a method. */
public final class StoppedThread {
  private final StackFrame frame;

  StoppedThread(ThreadReference thread) {
    try {
      this.frame = thread.frame(0);
    } catch (IncompatibleThreadStateException e) {
      throw new IllegalStateException(e);
    }
  }

  /** An argument of the method, by its place. */
  public int number(int argument) {
    return ((IntegerValue) frame.getArgumentValues().get(argument)).value();
  }

  /**
   * @param fields that lead there from the object whose method it is
   */
  public Floats floats(String... fields) {
    return follow(frame.thisObject(), fields);
  }

  /**
   * @param fields that lead there from an argument
   */
  public Floats floatsOfArgument(int argument, String... fields) {
    return follow(frame.getArgumentValues().get(argument), fields);
  }

  private static Floats follow(Value from, String... fields) {
    Value reached = from;
    for (String name : fields) {
      ObjectReference object = (ObjectReference) reached;
      reached = object.getValue(object.referenceType().fieldByName(name));
    }
    return new Floats((ArrayReference) reached);
  }

  /** A {@code float[]} of the other process. */
  public static final class Floats {
    private final ArrayReference array;

    private Floats(ArrayReference array) {
      this.array = array;
    }

    /** All of it. */
    public List<Float> values() {
      return array.getValues().stream().map(value -> ((FloatValue) value).value()).toList();
    }

    public float get(int index) {
      return ((FloatValue) array.getValue(index)).value();
    }

    public void set(int index, float value) {
      try {
        array.setValue(index, array.virtualMachine().mirrorOf(value));
      } catch (InvalidTypeException | ClassNotLoadedException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
