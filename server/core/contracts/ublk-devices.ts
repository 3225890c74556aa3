/** Where engines tell, by the device's name, the live file that one of their ublk devices stands for. */
export const UBLK_DEVICES = "/run/stillframe-ublk";
