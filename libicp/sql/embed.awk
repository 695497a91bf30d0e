# Turns the named statements of .sql files into one C header.
# usage: awk -f embed.awk a.sql b.sql > icp_sql.h
# A line "-- STMT_NAME" begins a statement; it becomes enumerator ICP_STMT_NAME, and its text, comments and
# line ends kept out, element [ICP_STMT_NAME] of icp_sql_text (defined where ICP_SQL_TEXT is).
function flush() { if (name != "") { names[++n] = name; texts[n] = text } name = ""; text = "" }
FNR == 1 { flush() }
/^-- STMT_[A-Z0-9_]+$/ {
    flush(); name = substr($2, 6)
    if (name in seen) { print FILENAME ":" FNR ": statement " name " is defined twice" > "/dev/stderr"; exit 1 }
    seen[name] = 1; next
}
{
    sub(/--.*$/, ""); gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); gsub(/[ \t]+/, " ")
    if (name != "" && $0 !~ /^ ?$/) text = text "\n    \"" $0 " \""
}
END {
    flush()
    print "/* Generated from libicp/sql by embed.awk. */\n#ifndef ICP_SQL_H\n#define ICP_SQL_H\n\ntypedef enum icp_stmt_e {"
    for (i = 1; i <= n; i++) print "    ICP_STMT_" names[i] ","
    print "    ICP_STMT_COUNT\n} icp_stmt_e;\n\n#ifdef ICP_SQL_TEXT\nstatic const char *const icp_sql_text[ICP_STMT_COUNT] = {"
    for (i = 1; i <= n; i++) print "    [ICP_STMT_" names[i] "] =" texts[i] ","
    print "};\n#endif\n#endif"
}
