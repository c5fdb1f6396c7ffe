package org.sparkformer.testkit;

import com.sun.jdi.Bootstrap;
import com.sun.jdi.Location;
import com.sun.jdi.Method;
import com.sun.jdi.ReferenceType;
import com.sun.jdi.VMDisconnectedException;
import com.sun.jdi.VirtualMachine;
import com.sun.jdi.connect.AttachingConnector;
import com.sun.jdi.connect.Connector;
import com.sun.jdi.connect.IllegalConnectorArgumentsException;
import com.sun.jdi.event.BreakpointEvent;
import com.sun.jdi.event.ClassPrepareEvent;
import com.sun.jdi.event.Event;
import com.sun.jdi.event.EventSet;
import com.sun.jdi.request.ClassPrepareRequest;
import com.sun.jdi.request.EventRequest;
import com.sun.jdi.request.EventRequestManager;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * A debugger on another Java process: where a thread of it enters a method, a test reads its
 * memory, changes it, or takes its time. So a fault hits a chosen moment of a real process, whose
 * code knows nothing of it.
 */
public final class Debugger implements AutoCloseable {
  /** What the other process has to be started with. */
  public static final String JAVA_OPTION =
      "-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:0";

  private static final String BY_PROCESS_ID = "com.sun.jdi.ProcessAttach";

  private final VirtualMachine machine;
  private final Map<EventRequest, Consumer<Event>> actions = new ConcurrentHashMap<>();
  private final Thread listening = new Thread(this::listen, "debugger");
  private volatile Throwable failure;

  private Debugger(VirtualMachine machine) {
    this.machine = machine;
    listening.setDaemon(true);
  }

  /**
   * Once in a process's life: after {@link #close} its address is not told again.
   *
   * @param process of this user's, started with {@link #JAVA_OPTION}
   */
  public static Debugger attach(ProcessHandle process) throws IOException {
    AttachingConnector connector =
        Bootstrap.virtualMachineManager().attachingConnectors().stream()
            .filter(known -> known.name().equals(BY_PROCESS_ID))
            .findFirst()
            .orElseThrow();
    Map<String, Connector.Argument> arguments = connector.defaultArguments();
    arguments.get("pid").setValue(Long.toString(process.pid()));
    try {
      Debugger debugger = new Debugger(connector.attach(arguments));
      debugger.listening.start();
      return debugger;
    } catch (IllegalConnectorArgumentsException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Does something each time that a thread enters a method. That thread waits for it, the others go
   * on.
   *
   * @param type full name of the class, which may not be loaded yet
   * @param method the only one of its name there
   */
  public void atEntry(String type, String method, Consumer<StoppedThread> action) {
    ClassPrepareRequest loading = requests().createClassPrepareRequest();
    loading.addClassFilter(type);
    enable(loading, event -> stopAt(((ClassPrepareEvent) event).referenceType(), method, action));
    machine.classesByName(type).forEach(loaded -> stopAt(loaded, method, action));
  }

  /** Once, for a class that was just loaded may be found by both ways. */
  private synchronized void stopAt(
      ReferenceType type, String method, Consumer<StoppedThread> action) {
    Location entry = entry(type, method);
    boolean stops =
        requests().breakpointRequests().stream()
            .anyMatch(request -> request.location().equals(entry));
    if (!stops) {
      enable(
          requests().createBreakpointRequest(entry),
          event -> action.accept(new StoppedThread(((BreakpointEvent) event).thread())));
    }
  }

  private static Location entry(ReferenceType type, String method) {
    List<Method> methods = type.methodsByName(method);
    if (methods.size() != 1) {
      throw new IllegalArgumentException(
          "%s has %d methods %s, not one".formatted(type.name(), methods.size(), method));
    }
    return methods.get(0).location();
  }

  private EventRequestManager requests() {
    return machine.eventRequestManager();
  }

  private void enable(EventRequest request, Consumer<Event> action) {
    actions.put(request, action);
    request.setSuspendPolicy(EventRequest.SUSPEND_EVENT_THREAD);
    request.enable();
  }

  private void listen() {
    try {
      while (true) {
        EventSet events = machine.eventQueue().remove();
        events.stream().filter(event -> event.request() != null).forEach(this::act);
        events.resume();
      }
    } catch (VMDisconnectedException ended) {
      // By close, or with the process.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  // The thread that stands there goes on whatever happens to the action, which close tells.
  private void act(Event event) {
    try {
      actions.get(event.request()).accept(event);
    } catch (VMDisconnectedException ended) {
      throw ended;
    } catch (RuntimeException | Error e) {
      failure = e;
    }
  }

  /**
   * Lets the process go on alone.
   *
   * @throws IllegalStateException if an action failed
   */
  @Override
  public void close() {
    try {
      machine.dispose();
    } catch (VMDisconnectedException ended) {
      // Then there is nobody to leave.
    }
    if (failure != null) {
      throw new IllegalStateException("at a stop of the debugger", failure);
    }
  }
}
