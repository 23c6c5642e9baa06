// A CMPP 2.0/3.0 gateway for tests on the codec and the sessions of SMSGate: Gateway PORT
//
// Accounts: 900001/secret20 speaks 2.0, 900002/secret30 speaks 3.0. Each segment is answered by itself.
// One JSON line on stdout for each event: listening, connect, submit, deliver_resp.
//
// The last four digits of the number choose what happens:
//   80NN  result NN                          85NN  the answer comes after 3 s
//   81NN  no answer                          86NN  the person replies 退订
//   82NN  the report says UNDELIV            87NN  the report comes before the answer
//   83NN  no report                          88NN  the report comes twice
//   84NN  the connection is closed instead of an answer
// All others: result 0 and the report DELIVRD. Reports only where they were asked for.
import com.chinamobile.cmos.sms.SmsDcs;
import com.zx.sms.codec.cmpp.msg.CmppDeliverRequestMessage;
import com.zx.sms.codec.cmpp.msg.CmppDeliverResponseMessage;
import com.zx.sms.codec.cmpp.msg.CmppReportRequestMessage;
import com.zx.sms.codec.cmpp.msg.CmppSubmitRequestMessage;
import com.zx.sms.codec.cmpp.msg.CmppSubmitResponseMessage;
import com.zx.sms.common.util.MsgId;
import com.zx.sms.connect.manager.EndpointEntity;
import com.zx.sms.connect.manager.EndpointManager;
import com.zx.sms.connect.manager.cmpp.CMPPEndpointEntity;
import com.zx.sms.connect.manager.cmpp.CMPPServerChildEndpointEntity;
import com.zx.sms.connect.manager.cmpp.CMPPServerEndpointEntity;
import com.zx.sms.handler.api.AbstractBusinessHandler;
import com.zx.sms.session.cmpp.SessionState;
import io.netty.channel.ChannelHandlerContext;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

public final class Gateway {
  public static void main(String[] args) throws Exception {
    CMPPServerEndpointEntity server = new CMPPServerEndpointEntity();
    server.setId("gateway");
    server.setHost("127.0.0.1");
    server.setPort(Integer.parseInt(args[0]));
    server.setValid(true);
    server.addchild(account("900001", "secret20", 0x20));
    server.addchild(account("900002", "secret30", 0x30));
    EndpointManager.INS.openEndpoint(server);
    say("listening", "port", Integer.parseInt(args[0]));
    Thread.currentThread().join(); // the library's own threads do not keep the process alive
  }

  private static CMPPEndpointEntity account(String user, String password, int version) {
    CMPPServerChildEndpointEntity e = new CMPPServerChildEndpointEntity();
    e.setId("account-" + user);
    e.setGroupName("tests");
    e.setUserName(user);
    e.setPassword(password);
    e.setVersion((short) version);
    e.setChartset(StandardCharsets.UTF_8);
    e.setValid(true);
    e.setMaxChannels((short) 8);
    e.setWindow(16);
    e.setIdleTimeSec((short) 30);
    e.setReSendFailMsg(false);
    e.setMaxRetryCnt((short) 0);
    e.setSupportLongmsg(EndpointEntity.SupportLongMessage.NONE);
    e.setBusinessHandlerSet(new ArrayList<>(List.of(new Peer())));
    return e;
  }

  private static final class Peer extends AbstractBusinessHandler {
    @Override
    public String name() {
      return "gateway";
    }

    @Override
    public Peer clone() { // one for each connection
      return new Peer();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
      if (event == SessionState.Connect) say("connect", "user", ((CMPPEndpointEntity) getEndpointEntity()).getUserName());
      super.userEventTriggered(ctx, event);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
      if (message instanceof CmppSubmitRequestMessage) {
        CmppSubmitRequestMessage m = (CmppSubmitRequestMessage) message;
        say("submit", "dest", m.getDestterminalId()[0], "pk_total", m.getPktotal(), "pk_number", m.getPknumber(), "udhi",
            m.getTpudhi(), "format", m.getMsgfmt().getValue() & 0xff, "bytes", m.getMsgLength(), "src", m.getSrcId(), "service",
            m.getServiceId(), "msg_src", m.getMsgsrc(), "report", m.getRegisteredDelivery(), "text", m.getMsgContent());
        answer(ctx, m);
      } else if (message instanceof CmppDeliverResponseMessage) {
        say("deliver_resp", "result", ((CmppDeliverResponseMessage) message).getResult());
      } else {
        super.channelRead(ctx, message);
      }
    }

    private void answer(ChannelHandlerContext ctx, CmppSubmitRequestMessage m) {
      String dest = m.getDestterminalId()[0];
      int kind = Integer.parseInt(dest.substring(dest.length() - 4, dest.length() - 2));
      long result = kind == 80 ? Long.parseLong(dest.substring(dest.length() - 2)) : 0;
      MsgId id = new MsgId();
      if (kind == 84) {
        ctx.channel().close();
        return;
      }
      if (kind == 87) report(ctx, m, id, "DELIVRD", 0);
      if (kind != 81) {
        after(ctx, kind == 85 ? 3000 : kind == 87 ? 300 : 0, () -> {
          CmppSubmitResponseMessage r = new CmppSubmitResponseMessage(m.getHeader());
          r.setMsgId(id);
          r.setResult(result);
          ctx.channel().writeAndFlush(r);
        });
      }
      if (kind == 80 || kind == 81 || kind == 83 || kind == 87) return;
      report(ctx, m, id, kind == 82 ? "UNDELIV" : "DELIVRD", kind == 85 ? 3050 : 50);
      if (kind == 88) report(ctx, m, id, "DELIVRD", 100);
      if (kind == 86) reply(ctx, m, "退订", 100);
    }

    private void report(ChannelHandlerContext ctx, CmppSubmitRequestMessage m, MsgId id, String state, long delayMs) {
      if (m.getRegisteredDelivery() != 1) return;
      String now = LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyMMddHHmm"));
      CmppReportRequestMessage report = new CmppReportRequestMessage();
      report.setMsgId(id);
      report.setStat(state);
      report.setSubmitTime(now);
      report.setDoneTime(now);
      report.setDestterminalId(m.getDestterminalId()[0]);
      report.setSmscSequence(0);
      CmppDeliverRequestMessage d = deliver(m);
      d.setReportRequestMessage(report);
      after(ctx, delayMs, () -> ctx.channel().writeAndFlush(d));
    }

    private void reply(ChannelHandlerContext ctx, CmppSubmitRequestMessage m, String text, long delayMs) {
      CmppDeliverRequestMessage d = deliver(m);
      byte[] ucs2 = text.getBytes(StandardCharsets.UTF_16BE);
      d.setMsgfmt(new SmsDcs((byte) 8));
      d.setMsgContentBytes(ucs2);
      d.setMsgLength((short) ucs2.length);
      after(ctx, delayMs, () -> ctx.channel().writeAndFlush(d));
    }

    private static CmppDeliverRequestMessage deliver(CmppSubmitRequestMessage m) {
      CmppDeliverRequestMessage d = new CmppDeliverRequestMessage();
      d.setDestId(m.getSrcId());
      d.setSrcterminalId(m.getDestterminalId()[0]);
      d.setServiceid(m.getServiceId());
      return d;
    }

    private static void after(ChannelHandlerContext ctx, long delayMs, Runnable task) {
      if (delayMs == 0) {
        task.run();
      } else {
        ctx.executor().schedule(task, delayMs, TimeUnit.MILLISECONDS);
      }
    }
  }

  private static final PrintStream OUT = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);

  private static synchronized void say(String event, Object... pairs) {
    StringBuilder out = new StringBuilder("{\"event\":\"").append(event).append('"');
    for (int i = 0; i < pairs.length; i += 2) {
      out.append(",\"").append(pairs[i]).append("\":");
      if (pairs[i + 1] instanceof Number) {
        out.append(pairs[i + 1]);
        continue;
      }
      out.append('"');
      for (char c : String.valueOf(pairs[i + 1]).toCharArray()) {
        if (c == '"' || c == '\\') out.append('\\').append(c);
        else if (c < 0x20) out.append(String.format("\\u%04x", (int) c));
        else out.append(c);
      }
      out.append('"');
    }
    OUT.println(out.append('}'));
  }
}
