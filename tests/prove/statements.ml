(* SPDX-License-Identifier: Apache-2.0

   For scripts/prove: a line for each statement, 'STATEMENT file:line function reached text' or 'unreached'. *)
open Cil_types

let counts s =
  match s.skind with
  | Instr (Skip _) -> false
  | Instr _ | Return _ | If _ | Switch _ -> true
  | _ -> false

let text s =
  match s.skind with
  | If (e, _, _, _) -> Format.asprintf "if (%a)" Printer.pp_exp e
  | Switch (e, _, _, _) -> Format.asprintf "switch (%a)" Printer.pp_exp e
  | _ -> Format.asprintf "%a" Printer.pp_stmt s

let line s =
  let from = fst (Cil_datatype.Stmt.loc s) in
  Format.asprintf "%s:%d" (Filepath.Normalized.to_pretty_string from.Filepath.pos_path)
    from.Filepath.pos_lnum

let one_line t = String.concat " " (String.split_on_char '\n' t)

let print kf s =
  if counts s then
    Format.printf "STATEMENT %s %s %s %s@." (line s) (Kernel_function.get_name kf)
      (if Eva.Results.is_reachable s then "reached" else "unreached")
      (one_line (text s))

let each kf =
  if Kernel_function.is_definition kf then
    List.iter (print kf) (Kernel_function.get_definition kf).sallstmts

let () =
  Db.Main.extend (fun () ->
      if Eva.Analysis.is_computed () then begin
        Format.set_margin 10000;
        Globals.Functions.iter each
      end)
