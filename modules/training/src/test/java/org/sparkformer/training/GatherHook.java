package org.sparkformer.training;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.sparkformer.collective.Collective;

/** What a test does before each all-gather of a vector that a real collective is asked for. */
@FunctionalInterface
interface GatherHook {
  void beforeGather() throws InterruptedException;

  /** The collective, with this done first. */
  default Collective on(Collective collective) {
    Class<?>[] type = {Collective.class};
    return (Collective)
        Proxy.newProxyInstance(
            GatherHook.class.getClassLoader(),
            type,
            (proxy, method, arguments) -> {
              // With two arguments it is the one of vectors, else the one of messages.
              if (method.getName().equals("allGather") && arguments.length == 2) {
                beforeGather();
              }
              try {
                return method.invoke(collective, arguments);
              } catch (InvocationTargetException failed) {
                throw failed.getCause();
              }
            });
  }
}
