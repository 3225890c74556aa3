import { z } from "zod";
import { roles } from "../access/permissions";

export const roleSchema = z.enum(roles);
