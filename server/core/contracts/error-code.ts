import { z } from "zod";
import { errorCodes } from "../errors/codes";

export const errorCodeSchema = z.enum(errorCodes);
