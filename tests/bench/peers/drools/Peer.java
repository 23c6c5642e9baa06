import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.stream.Stream;
import org.drools.model.codegen.ExecutableModelProject;
import org.kie.api.KieBase;
import org.kie.api.KieServices;
import org.kie.api.builder.KieBuilder;
import org.kie.api.builder.KieFileSystem;
import org.kie.api.builder.Message;
import org.kie.api.definition.type.FactType;
import org.kie.api.runtime.KieSession;
import org.kie.api.runtime.rule.FactHandle;

/**
 * The benchmark's set on Drools: Peer PEERS.json PEERS.drl PEERS.ndjson prints one JSON object.
 * The rules are compiled to the executable model; one session is used for all, a resident is inserted, all rules are
 * fired, and it is deleted again. Ages and months come precomputed, and the facts as fields of a bean.
 */
public class Peer {
  private static Object convert(JsonElement value, Class<?> type) {
    if (type == boolean.class) return value.getAsBoolean();
    if (type == int.class) return value.getAsInt();
    if (type == String.class) return value.getAsString();
    List<Object> list = new ArrayList<>();
    for (JsonElement e : value.getAsJsonArray()) {
      list.add(e.getAsJsonPrimitive().isNumber() ? (Object) e.getAsInt() : e.getAsString());
    }
    return list;
  }

  private static double heapMb() {
    for (int i = 0; i < 3; i++) System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() / 1e6;
  }

  private static long cpuNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private static void run(KieSession session, List<Object> residents) {
    for (Object resident : residents) {
      FactHandle handle = session.insert(resident);
      session.fireAllRules();
      session.delete(handle);
    }
  }

  public static void main(String[] args) throws Exception {
    JsonObject set = JsonParser.parseString(Files.readString(Path.of(args[0]))).getAsJsonObject();
    String drl = Files.readString(Path.of(args[1]));
    double before = heapMb();
    long start = System.nanoTime();
    KieServices services = KieServices.get();
    KieFileSystem files = services.newKieFileSystem();
    files.write("src/main/resources/zhitui/bench/rules.drl", drl);
    KieBuilder builder = services.newKieBuilder(files).buildAll(ExecutableModelProject.class);
    if (builder.getResults().hasMessages(Message.Level.ERROR)) {
      System.err.println(builder.getResults().getMessages(Message.Level.ERROR));
      System.exit(1);
    }
    KieBase base = services.newKieContainer(builder.getKieModule().getReleaseId()).getKieBase();
    KieSession session = base.newKieSession();
    int rules = set.getAsJsonArray("rules").size();
    int[] eligible = new int[rules];
    session.setGlobal("eligible", (IntConsumer) rule -> eligible[rule]++);
    double loadMs = (System.nanoTime() - start) / 1e6;
    double memory = heapMb() - before;

    FactType type = base.getFactType("zhitui.bench", "Resident");
    List<Object> residents = new ArrayList<>();
    start = cpuNanos();
    try (Stream<String> lines = Files.lines(Path.of(args[2]))) {
      for (String line : (Iterable<String>) lines::iterator) {
        Object resident = type.newInstance();
        for (Map.Entry<String, JsonElement> e : JsonParser.parseString(line).getAsJsonObject().entrySet()) {
          type.set(resident, e.getKey(), convert(e.getValue(), type.getField(e.getKey()).getType()));
        }
        residents.add(resident);
      }
    }
    double decode = (cpuNanos() - start) / 1e3 / residents.size();

    // The machine code is made while it runs: the best of five passes after two for warming up.
    double best = Double.MAX_VALUE;
    for (int pass = 0; pass < 7; pass++) {
      java.util.Arrays.fill(eligible, 0);
      start = cpuNanos();
      run(session, residents);
      if (pass >= 2) best = Math.min(best, (cpuNanos() - start) / 1e3 / residents.size());
    }

    long total = 0;
    JsonObject byRule = new JsonObject();
    for (int i = 0; i < rules; i++) {
      total += eligible[i];
      byRule.addProperty(set.getAsJsonArray("rules").get(i).getAsJsonObject().get("id").getAsString(), eligible[i]);
    }
    JsonObject out = new JsonObject();
    String version = KieServices.class.getPackage().getImplementationVersion();
    out.addProperty("engine", "Drools" + (version == null ? "" : " " + version));
    out.addProperty("residents", residents.size());
    out.addProperty("load_ms", loadMs);
    out.addProperty("us_per_resident", best);
    out.addProperty("us_per_resident_decode", decode);
    out.addProperty("memory_mb", memory);
    out.addProperty("eligible", total);
    out.add("by_rule", byRule);
    System.out.println(out);
  }
}
