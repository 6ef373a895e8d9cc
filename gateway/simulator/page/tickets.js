// Shows the tickets and what is written into them, as it is written. Texts are set as text, never as HTML.
"use strict";

const rows = new Map();
const tickets = new Map();

function element(tag, text, name) {
  const made = document.createElement(tag);
  if (text !== undefined && text !== null) made.textContent = text;
  if (name) made.className = name;
  return made;
}

const STATUS = {
  expired: "逾期未评 expired", clarifying: "已请客户重新评分 asked again", unparsed: "待人工判读 for a person to read",
  cancelled: "已取消 cancelled", suppressed: "未发送评价邀请 not asked",
};

function verdict(satisfaction) {
  const highest = { ten: 10, five: 5, three: 3 }[satisfaction.scale] || 10;
  const share = highest === 3 ? (3 - satisfaction.score) / 2 : satisfaction.score / highest;
  return [share >= 0.8 ? "good" : share >= 0.5 ? "middling" : "bad", highest];
}

function satisfactionCell(ticket) {
  const cell = element("td");
  const it = ticket.satisfaction;
  if (it && it.score !== null) {
    const [mood, highest] = verdict(it);
    const score = element("p", it.score, `score ${mood}`);
    score.append(element("small", ` / ${highest}`));
    cell.append(score);
    if (it.comment) cell.append(element("p", `“${it.comment}”`));
    const when = new Date(it.at).toLocaleTimeString("zh-CN");
    cell.append(element("p", it.revisions > 1 ? `${when} · 已更正 revised` : when, "quiet"));
  } else if (it && it.status && it.status !== "open") {
    cell.append(element("p", STATUS[it.status] || it.status, "quiet"));
    if (it.text) cell.append(element("p", `“${it.text}”`));
  } else {
    cell.append(element("p", ticket.status === "open" ? "处理中 in progress" : "等待客户评价 waiting", "quiet"));
  }
  if (ticket.follow_ups) cell.append(element("p", "二次回访 follow-up", "kind"));
  return cell;
}

function show(ticket, fresh) {
  tickets.set(ticket.id, ticket);
  const row = element("tr");
  const id = element("td");
  id.append(element("strong", ticket.id), element("p", ticket.customer, "quiet"));
  id.append(element("span", ticket.type_told, "kind"));
  if (ticket.department_told) id.append(element("p", `${ticket.department_told} ${ticket.handler}`, "quiet"));
  row.append(id, element("td", ticket.complaint), element("td", ticket.resolution || "—"), satisfactionCell(ticket));
  if (fresh) row.className = "fresh";
  const old = rows.get(ticket.id);
  if (old) old.replaceWith(row); else document.getElementById("tickets").prepend(row);
  rows.set(ticket.id, row);
}

function count() {
  const scored = [...tickets.values()].filter((each) => each.satisfaction && each.satisfaction.score !== null);
  const ten = scored.filter((each) => each.satisfaction.scale === "ten");
  const low = scored.filter((each) => verdict(each.satisfaction)[0] === "bad");
  document.getElementById("total").textContent = tickets.size;
  document.getElementById("scored").textContent = scored.length;
  document.getElementById("low").textContent = low.length;
  document.getElementById("average").textContent = ten.length
    ? (ten.reduce((sum, each) => sum + each.satisfaction.score, 0) / ten.length).toFixed(1) : "–";
  document.getElementById("nothing").hidden = tickets.size > 0;
}

const stream = new EventSource("tickets/stream");
stream.addEventListener("all", (event) => {
  for (const ticket of JSON.parse(event.data)) show(ticket, false);
  count();
});
stream.addEventListener("ticket", (event) => {
  show(JSON.parse(event.data), true);
  count();
});
