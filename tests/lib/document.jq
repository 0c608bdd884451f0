# True of a document as docs/OUTPUT.md describes it: these keys, in this order, of these types, and no others.
def text: type == "string";
def optional: type == "string" or . == null;
def number: type == "number";
def object($keys): type == "object" and keys_unsorted == $keys;
object(["schema", "helper", "version", "host", "dry_run", "result", "exit_code", "message", "code", "milliseconds",
  "plan", "observations", "steps", "changes"])
and .schema == 1
and (.helper | text) and (.version | text) and (.host | optional)
and (.dry_run | type == "boolean")
and (.result | IN("ok", "error", "usage"))
and (.exit_code | IN(0, 1, 255))
and (.message | text)
and (if .result == "ok" then .code == null else .code | text end)
and (.milliseconds | number)
and (.plan | . == null or (object(["action", "proof"]) and all(.[]; text)))
and (.observations | all(.[]; object(["host", "what", "value"]) and (.host | optional) and (.what | text) and (.value | text)))
and (.steps | all(.[]; object(["what", "milliseconds", "error"]) and (.what | text) and (.milliseconds | number) and (.error | optional)))
and (.changes | all(.[]; object(["host", "kind", "what", "done"]) and (.host | optional)
  and (.kind | IN("sql", "address", "connection", "command", "file")) and (.what | text) and (.done | type == "boolean")))
and (if .dry_run then all(.changes[]; .done | not) else true end)
